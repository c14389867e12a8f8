"""Households by place, cohort and class, and whether each has a lead helper: gives the unpaired of a district.

One that has exited needs none: in the place of "paired" or "unpaired" stands why it has.
"""

from collections.abc import Sequence
from datetime import date

from services.projections.card import Household, Pair
from services.projections.exits import Exited, out
from services.projections.model import Parts, ReadModel
from services.projections.pairs import days, holding
from services.projections.residence import Where, whereabouts
from services.projections.steps import Rows, at, rows
from shared.events.codes import PairRole


def parts(card: Household) -> Parts:
    return {None: ((card.homes, card.cohort, card.classes), card.pairs, card.exited)} if card.homes else {}


def cells(where: Where, pairs: Sequence[Pair], exited: Exited) -> Rows:
    """A household counts from the day on which it was registered."""
    places, registered = whereabouts(where), where[0][0].since

    def cells_on(day: date) -> frozenset[tuple[str, ...]]:
        led = any(pair.role is PairRole.LEAD for pair in holding(pairs, day))
        lead = out(exited, day) or ("paired" if led else "unpaired")
        return frozenset([(*at(places, day, places[0][1]), str(lead))])

    return rows([day for day in {*days(pairs), *dict(places), *dict(exited)} if day >= registered], cells_on)


MODEL = ReadModel(
    name="households",
    card=Household,
    columns=("village", "cohort", "household_class", "lead"),
    fields=("homes", "cohort", "classes", "pairs", "exits", "assessments"),
    parts=parts,
    cells=cells,
)
