"""How many households each helper holds, and in which district those live. One that has exited is held by nobody."""

from datetime import date

from services.projections.card import Household
from services.projections.exits import out
from services.projections.model import ReadModel, whole
from services.projections.pairs import days, holding
from services.projections.residence import whereabouts
from services.projections.steps import Rows, at, rows

DISTRICT = 4
"""Digits of a village code that name the district."""


def cells(card: Household, _: None) -> Rows:
    pairs, exited = card.pairs, card.exited
    places = whereabouts((card.homes, None, ())) if pairs and card.homes else ()
    first = places[0][1] if places else ("", "", "")

    def cells_on(day: date) -> frozenset[tuple[str, ...]]:
        if out(exited, day):
            return frozenset()
        district = at(places, day, first)[0][:DISTRICT]
        return frozenset([(pair.helper, pair.role.value, district) for pair in holding(pairs, day)])

    return rows({*days(pairs), *dict(places), *dict(exited)}, cells_on) if pairs else {}


MODEL = ReadModel(
    name="caseload",
    card=Household,
    columns=("helper", "role", "district"),
    touched=whole("homes", "pairs", "exited"),
    cells=cells,
)
