"""The pure parts of a rebuild: in which order it reads, what a copy of the past holds, which moment is meant."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest
from aiokafka import TopicPartition
from hypothesis import given
from hypothesis import strategies as st

from deploy.local.rebuild import moment_of
from deploy.local.trouble import Trouble
from services.projections.rebuild import merged, targets
from tests.support.log import START, Log, Record, assessed, delivered, household, registered

KEY = household("1")
REGISTRY, CASES = TopicPartition("siao.registry.v1", 0), TopicPartition("siao.interventions.v1", 0)


def at(second: int, offset: int) -> Record:
    moment = START + timedelta(seconds=second)
    return Record(REGISTRY.topic, 0, offset, None, b"", [("ce_time", moment.isoformat().encode())])


def taken(first: Sequence[int], second: Sequence[int], open_: set[TopicPartition]) -> list[tuple[str, int]]:
    """(service, how many) of each slice, from two topics recorded at these seconds."""
    waiting = {
        place: [at(s, i) for i, s in enumerate(seconds)] for place, seconds in ((REGISTRY, first), (CASES, second))
    }
    slices = merged._take(waiting, open_, {REGISTRY: 0, CASES: 0})
    return [(piece.service, len(piece.records)) for piece in slices]


def test_nothing_is_taken_that_an_open_topic_may_still_come_before():
    assert taken([1, 2, 9], [3, 4, 5], {REGISTRY, CASES}) == [("registry", 2), ("interventions", 3)]


def test_a_topic_at_its_end_holds_nothing_back():
    assert taken([1, 2, 9], [3, 4, 5], {REGISTRY}) == [("registry", 3), ("interventions", 3)]
    assert taken([1], [3], set()) == [("registry", 1), ("interventions", 1)]


seconds = st.lists(st.integers(0, 9), min_size=1, max_size=6)


@given(seconds, seconds)
def test_something_is_always_taken(first: list[int], second: list[int]):
    """Whatever the times are: a partition's events are not quite in order."""
    assert taken(first, second, {REGISTRY, CASES})


def test_what_was_known_then():
    log = Log()
    log.add(f"household-{KEY}", registered(KEY))
    log.add(f"household-{KEY}", assessed(KEY, living=True))
    late = log.add(f"case-{KEY}", delivered(KEY, 1))
    untimed, then = Record(REGISTRY.topic, 0, 3, None, b"", []), START + timedelta(seconds=1)
    some = [*log.records[:2], at(0, 2), late, untimed]
    assert [merged.is_known(record, then) for record in some] == [True, True, True, False, False]


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2020-01-31", datetime(2020, 1, 31, 16, 59, 59, 999_999, tzinfo=UTC)),
        ("2020-01-31T16:30", datetime(2020, 1, 31, 9, 30, tzinfo=UTC)),
        ("2020-01-31T16:30Z", datetime(2020, 1, 31, 16, 30, tzinfo=UTC)),
    ],
)
def test_a_moment_is_in_thai_time_and_a_day_means_its_end(text: str, moment: datetime):
    assert moment_of(text) == moment


def test_what_is_no_moment_is_said():
    with pytest.raises(Trouble, match="not a moment"):
        moment_of("yesterday")


def test_how_much_is_missing():
    have, want = {0: {"registry": 1, "pairing": 5}}, {0: {"registry": 4, "pairing": 5}}
    assert (targets.missing(have, want), targets.beyond(have, want), targets.beyond(want, have)) == (3, False, True)
