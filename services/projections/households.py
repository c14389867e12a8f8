"""Households by place, cohort and class, and whether each has a lead helper: gives the unpaired of a district."""

from datetime import date

from services.projections.card import Household
from services.projections.model import ReadModel
from services.projections.pairs import days, holding
from services.projections.residence import whereabouts
from services.projections.steps import Rows, at, rows
from shared.events.codes import PairRole


def cells(card: Household) -> Rows:
    """A household counts from the day on which it was registered."""
    where = whereabouts(card)
    if not where:
        return {}
    first, registered = where[0][1], min(home.since for home in card.homes)

    def cells_on(day: date) -> frozenset[tuple[str, ...]]:
        led = any(pair.role is PairRole.LEAD for pair in holding(card, day))
        return frozenset([(*at(where, day, first), "paired" if led else "unpaired")])

    return rows([day for day in {*days(card), *dict(where)} if day >= registered], cells_on)


MODEL = ReadModel(
    name="households",
    card=Household,
    columns=("village", "cohort", "household_class", "lead"),
    reads=("homes", "cohort", "classes", "pairs"),
    cells=cells,
)
