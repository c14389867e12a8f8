"""How many households each helper holds, and in which district those live."""

from collections.abc import Sequence
from datetime import date

from services.projections.card import Home, Household, Pair
from services.projections.model import Parts, ReadModel
from services.projections.pairs import days, holding
from services.projections.residence import whereabouts
from services.projections.steps import Rows, at, rows

DISTRICT = 4
"""Digits of a village code that name the district."""


def parts(card: Household) -> Parts:
    return {None: (card.homes, card.pairs)} if card.pairs else {}


def cells(homes: Sequence[Home], pairs: Sequence[Pair]) -> Rows:
    places = whereabouts((homes, None, ())) if homes else []
    first = places[0][1] if places else ("", "", "")

    def cells_on(day: date) -> frozenset[tuple[str, ...]]:
        district = at(places, day, first)[0][:DISTRICT]
        return frozenset([(pair.helper, pair.role.value, district) for pair in holding(pairs, day)])

    return rows({*days(pairs), *dict(places)}, cells_on)


MODEL = ReadModel(
    name="caseload",
    card=Household,
    columns=("helper", "role", "district"),
    fields=("homes", "pairs"),
    parts=parts,
    cells=cells,
)
