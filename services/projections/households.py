"""Households by place, cohort and class, and whether each has a lead helper: gives the unpaired of a district."""

from collections.abc import Sequence
from datetime import date

from services.projections.card import Household, Pair
from services.projections.model import Parts, ReadModel
from services.projections.pairs import days, holding
from services.projections.residence import Where, whereabouts
from services.projections.steps import Rows, at, rows
from shared.events.codes import PairRole


def parts(card: Household) -> Parts:
    return {None: ((card.homes, card.cohort, card.classes), card.pairs)} if card.homes else {}


def cells(where: Where, pairs: Sequence[Pair]) -> Rows:
    """A household counts from the day on which it was registered."""
    places, registered = whereabouts(where), where[0][0].since

    def cells_on(day: date) -> frozenset[tuple[str, ...]]:
        led = any(pair.role is PairRole.LEAD for pair in holding(pairs, day))
        return frozenset([(*at(places, day, places[0][1]), "paired" if led else "unpaired")])

    return rows([day for day in {*days(pairs), *dict(places)} if day >= registered], cells_on)


MODEL = ReadModel(
    name="households",
    card=Household,
    columns=("village", "cohort", "household_class", "lead"),
    fields=("homes", "cohort", "classes", "pairs"),
    parts=parts,
    cells=cells,
)
