"""Where a household lived on a day: the projections say what a write service says of it."""

from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from services.projections.card import Home
from services.projections.residence import whereabouts
from services.projections.steps import at
from shared.runtime import known_household
from tests.support.log import DAY, START, Log, assessed, household, registered
from tests.support.mended import relocated
from tests.support.world import straight

KEY = household(1)
days = st.integers(0, 4).map(lambda n: DAY + timedelta(n))
homes = st.lists(st.tuples(days, st.sampled_from(["40190101", "40190202", "40010101"])), min_size=1, max_size=4)


@given(homes, st.integers(-2, 6))
def test_the_projections_and_the_services_agree_where_a_household_lived(told: list[tuple[date, str]], n: int):
    """`told`: the registration, then moves, as corrected."""
    day, numbered = DAY + timedelta(n), list(enumerate(told, 1))
    known = known_household.Household(len(told), tuple(known_household.Home(v, *home) for v, home in numbered))
    course = whereabouts(([Home(since, village, v) for v, (since, village) in numbered], None, ()))
    assert at(course, day, course[0][1])[0] == known.village_on(day)


def test_a_need_from_before_a_move_on_the_day_of_registration_stays_where_it_was():
    log = Log()
    log.add(f"household-{KEY}", registered(KEY, "40190101", DAY))
    log.add(f"household-{KEY}", relocated(KEY, "40010101", DAY))
    log.add(f"household-{KEY}", assessed(KEY, DAY - timedelta(1), health=True))
    for day, village in ((DAY - timedelta(1), "40190101"), (DAY, "40010101")):
        cells = straight(log).sums("coverage", day, START + timedelta(days=1))
        assert {(cell[1], n) for cell, n in cells.items()} == {(village, 1)}
