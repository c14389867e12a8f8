"""Where a household lived on a day: the projections say what a write service says of it."""

from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from services.projections.card import Home
from services.projections.residence import whereabouts
from services.projections.steps import at
from shared.homes import village_on
from shared.runtime import known_household
from tests.support.log import DAY, START, Log, assessed, household, registered
from tests.support.mended import relocated
from tests.support.world import straight

KEY = household(1)
days = st.integers(0, 4).map(lambda n: DAY + timedelta(n))
villages = st.sampled_from(["40190101", "40190202", "40010101"])
homes = st.lists(st.tuples(days, villages, st.none() | villages), max_size=4)


@given(days, villages, homes, st.integers(-2, 6))
def test_the_projections_and_the_services_agree_where_a_household_lived(
    since: date, village: str, told: list[tuple[date, str, str | None]], n: int
):
    """`told`: after the registration, moves and recodings, as corrected."""
    day, numbered = DAY + timedelta(n), list(enumerate([(since, village, None), *told], 1))
    known = known_household.Household(len(numbered), tuple(known_household.Home(v, *home) for v, home in numbered))
    course = whereabouts((tuple(Home(since, village, v, was) for v, (since, village, was) in numbered), None, ()))
    assert at(course, day, course[0][1])[0] == known.village_on(day)


def test_a_recoding_is_only_of_who_lived_there_when_its_day_came():
    here, new, far = "40190101", "40190121", "40010101"
    first, recoded = (DAY, here, None), (DAY + timedelta(3), new, here)

    def lived(*homes: tuple[date, str, str | None]) -> list[str]:
        return [village_on(homes, DAY + timedelta(n)) for n in (-1, 2, 3, 9)]

    assert lived(first, recoded) == [here, here, new, new]
    assert lived(first, recoded, (DAY + timedelta(2), far, None)) == [here, far, far, far], "it had left"
    assert lived(first, recoded, (DAY + timedelta(9), here, None)) == [here, here, new, here], "it came back"
    assert lived((DAY, far, None), recoded) == [far] * 4, "it never lived there"
    assert lived(first, (DAY + timedelta(9), far, new), recoded) == [here, here, new, far], "and twice in turn"
    assert lived(first, (DAY + timedelta(3), new, None), recoded) == [here, here, new, new]


def test_a_need_from_before_a_move_on_the_day_of_registration_stays_where_it_was():
    log = Log()
    log.add(f"household-{KEY}", registered(KEY, "40190101", DAY))
    log.add(f"household-{KEY}", relocated(KEY, "40010101", DAY))
    log.add(f"household-{KEY}", assessed(KEY, DAY - timedelta(1), health=True))
    for day, village in ((DAY - timedelta(1), "40190101"), (DAY, "40010101")):
        cells = straight(log).sums("coverage", day, START + timedelta(days=1))
        assert {(cell[1], n) for cell, n in cells.items()} == {(village, 1)}
