"""How many households each helper holds, and in which district those live."""

from datetime import date

from services.projections.card import Household
from services.projections.model import ReadModel
from services.projections.pairs import days, holding
from services.projections.residence import whereabouts
from services.projections.steps import Rows, at, rows

DISTRICT = 4
"""Digits of a village code that name the district."""


def cells(card: Household) -> Rows:
    where = whereabouts(card)
    first = where[0][1] if where else ("", "", "")

    def cells_on(day: date) -> frozenset[tuple[str, ...]]:
        district = at(where, day, first)[0][:DISTRICT]
        return frozenset([(pair.helper, pair.role.value, district) for pair in holding(card, day)])

    return rows({*days(card), *dict(where)}, cells_on)


MODEL = ReadModel(
    name="caseload",
    card=Household,
    columns=("helper", "role", "district"),
    reads=("homes", "pairs"),
    cells=cells,
)
