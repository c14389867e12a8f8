"""How many households each helper holds, and in which district those live. One that has exited is held by nobody."""

from collections.abc import Sequence
from datetime import date

from services.projections.card import Home, Household, Pair
from services.projections.exits import Exited, out
from services.projections.model import Parts, ReadModel
from services.projections.pairs import days, holding
from services.projections.residence import whereabouts
from services.projections.steps import Rows, at, rows

DISTRICT = 4
"""Digits of a village code that name the district."""


def parts(card: Household) -> Parts:
    return {None: (card.homes, card.pairs, card.exited)} if card.pairs else {}


def cells(homes: Sequence[Home], pairs: Sequence[Pair], exited: Exited) -> Rows:
    places = whereabouts((homes, None, ())) if homes else []
    first = places[0][1] if places else ("", "", "")

    def cells_on(day: date) -> frozenset[tuple[str, ...]]:
        if out(exited, day):
            return frozenset()
        district = at(places, day, first)[0][:DISTRICT]
        return frozenset([(pair.helper, pair.role.value, district) for pair in holding(pairs, day)])

    return rows({*days(pairs), *dict(places), *dict(exited)}, cells_on)


MODEL = ReadModel(
    name="caseload",
    card=Household,
    columns=("helper", "role", "district"),
    fields=("homes", "pairs", "exits", "assessments"),
    parts=parts,
    cells=cells,
)
