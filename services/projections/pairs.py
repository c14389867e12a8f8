"""Which pairs of a household hold on a day: from the day it was assigned to the day it ended, that one not included.

One that was entered by mistake never held, as in pairing's own rules: else the right one, assigned for the same days,
would make two leads.
"""

from collections.abc import Sequence
from datetime import date

from services.projections.card import Pair
from shared.events.codes import EndReason


def holding(pairs: Sequence[Pair], day: date) -> list[Pair]:
    return [pair for pair in _real(pairs) if pair.since <= day and (pair.until is None or day < pair.until)]


def days(pairs: Sequence[Pair]) -> set[date]:
    """The days on which one begins or ends."""
    return {day for pair in _real(pairs) for day in (pair.since, pair.until) if day}


def _real(pairs: Sequence[Pair]) -> list[Pair]:
    return [pair for pair in pairs if pair.ended is not EndReason.ENTERED_BY_MISTAKE]
