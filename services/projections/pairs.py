"""Which pairs of a household hold on a day: from the day it was assigned to the day it ended, that one not included."""

from collections.abc import Sequence
from datetime import date

from services.projections.card import Pair


def holding(pairs: Sequence[Pair], day: date) -> list[Pair]:
    return [pair for pair in pairs if pair.since <= day and (pair.until is None or day < pair.until)]


def days(pairs: Sequence[Pair]) -> set[date]:
    """The days on which one begins or ends."""
    return {pair.since for pair in pairs} | {pair.until for pair in pairs if pair.until}
