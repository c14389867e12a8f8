"""Households by place, cohort and class, and whether each has a lead helper: gives the unpaired of a district.

One that has exited needs none: in the place of "paired" or "unpaired" stands why it has.
"""

from collections.abc import Iterator
from datetime import date
from typing import Any

from services.projections.card import Household
from services.projections.model import ReadModel, whole
from services.projections.pairs import real
from services.projections.residence import whereabouts
from services.projections.steps import Cell, Rows, in_turn
from shared.events.codes import PairRole

LIVES, LED, EXITED = range(3)


def cells(card: Household, _: None) -> Rows:
    return in_turn(_course(card)) if card.homes else {}


def _course(card: Household) -> Iterator[tuple[date, Cell]]:
    """A household counts from the day on which it was registered."""
    places, registered = whereabouts((card.homes, card.cohort, card.classes)), card.homes[0].since
    told: list[tuple[date, int, Any]] = [(day, LIVES, there) for day, there in places]
    told += [(day, EXITED, reason) for day, reason in card.exited]
    for pair in real(card.pairs):
        if pair.role is PairRole.LEAD and (pair.until is None or pair.since < pair.until):
            told.append((pair.since, LED, 1))
            if pair.until:
                told.append((pair.until, LED, -1))
    where, leads, exited = places[0][1], 0, None
    for day, what, now in sorted(told):
        if what == LIVES:
            where = now
        elif what == LED:
            leads += now
        else:
            exited = now
        if day >= registered:
            yield day, (*where, str(exited or ("paired" if leads else "unpaired")))


MODEL = ReadModel(
    name="households",
    card=Household,
    columns=("village", "cohort", "household_class", "lead"),
    touched=whole("homes", "cohort", "classes", "pairs", "exited"),
    cells=cells,
)
