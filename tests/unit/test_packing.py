"""What a fact changed in one place from one day on, as one row."""

from datetime import UTC, date, datetime

from services.projections.facts import Fact
from services.projections.packing import Packing, literal
from shared.events.codes import HouseholdClass
from tests.support.log import classified, household

KEY, DAY, OTHER = household(1), date(2019, 10, 1), date(2019, 10, 2)
PACKING = Packing(("by", "what", "village"), ("by", "what"), {("all", "need"): 1, ("all", "reached"): 2})


def fact(version: int) -> Fact:
    order = (datetime(2019, 10, 3, tzinfo=UTC), f"household-{KEY}", version)
    return Fact(KEY, order, "", "", "", classified(KEY, HouseholdClass.WELFARE))


def test_of_each_fact_day_and_place_there_is_one_row() -> None:
    one, two = fact(1), fact(2)
    changes = [
        (one, (DAY, "all", "reached", "4001"), 1),
        (one, (DAY, "all", "need", "4001"), -1),
        (one, (DAY, "all", "need", "4002"), 2),
        (one, (OTHER, "all", "need", "4001"), 1),
        (two, (DAY, "all", "need", "4001"), 1),
    ]
    assert PACKING.rows(changes) == [
        (one, (DAY, "4001"), [-1, 2]),
        (one, (DAY, "4002"), [1, 1]),
        (one, (OTHER, "4001"), [1]),
        (two, (DAY, "4001"), [1]),
    ]


def test_moves_are_told_as_an_array() -> None:
    assert literal([-1, 2]) == "{-1,2}"
