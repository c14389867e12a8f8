"""Which pairs of a household hold on a day: from the day it was assigned to the day it ended, that one not included."""

from datetime import date

from services.projections.card import Household, Pair


def holding(card: Household, day: date) -> list[Pair]:
    return [pair for pair in card.pairs if pair.since <= day and (pair.until is None or day < pair.until)]


def days(card: Household) -> set[date]:
    """The days on which one begins or ends."""
    return {pair.since for pair in card.pairs} | {pair.until for pair in card.pairs if pair.until}
