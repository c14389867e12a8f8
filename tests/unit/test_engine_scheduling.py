"""In which order fetched records are handed on: nothing is lost, none overtakes one of its partition, and the topics of
a partition number come abreast."""

import time
from collections.abc import Mapping
from types import SimpleNamespace

import pytest
from faust.types import TP
from hypothesis import given
from hypothesis import strategies as st

from services.projections.fetched import Unread
from services.projections.scheduling import OVERDUE_SECONDS, WAITING_SECONDS, WINDOW, Batch, BatchScheduling

REGISTRY, PAIRING, VISITS = (TP(f"siao.{name}.v1", 3) for name in ("registry", "pairing", "interventions"))
TOPICS = REGISTRY, PAIRING, VISITS


def unread(tp: TP, since: int, next_offset: int, until: int = 0) -> Unread:
    batch = SimpleNamespace(next_offset=next_offset, max_timestamp=until, timestamp_type=0)
    return Unread(tp.topic, tp.partition, since, batch)


def one_each(tp: TP, *times: int, since: int = 0) -> list[Unread]:
    return [unread(tp, since + n, since + n + 1, until) for n, until in enumerate(times)]


def assigned(behind: set[TP], tps: tuple[TP, ...] = TOPICS) -> BatchScheduling:
    scheduling = BatchScheduling()
    scheduling.assigned({(tp.topic, tp.partition): 0 for tp in tps}, behind.__contains__)
    return scheduling


def times(scheduling: BatchScheduling, fetched: Mapping[TP, list[Unread]]) -> dict[TP, list[int]]:
    found: dict[TP, list[int]] = {}
    for tp, batch in scheduling.iterate(fetched):
        found.setdefault(tp, []).extend(one.until for one in batch.unread)
    return found


def test_a_batch_knows_where_its_fetch_began():
    scheduling = BatchScheduling()
    scheduling.assigned({(REGISTRY.topic, 3): 5}, lambda _: False)
    (first,) = [batch for _, batch in scheduling.iterate({REGISTRY: [unread(REGISTRY, 5, 6), unread(REGISTRY, 6, 7)]})]
    (second,) = [batch for _, batch in scheduling.iterate({REGISTRY: [unread(REGISTRY, 9, 11)]})]
    assert [(b.start, b.offset, b.assignment) for b in (first, second)] == [(5, 6, 1), (7, 10, 1)]


def test_a_window_has_a_size():
    half = WINDOW // 2
    fetched = [unread(REGISTRY, n * half, (n + 1) * half) for n in range(5)]
    batches: list[Batch] = [batch for _, batch in BatchScheduling().iterate({REGISTRY: fetched})]
    assert [(b.start, b.size, b.offset) for b in batches] == [
        (0, WINDOW, WINDOW - 1),
        (WINDOW, WINDOW, 2 * WINDOW - 1),
        (2 * WINDOW, half, 5 * half - 1),
    ]
    assert len({b.window for b in batches}) == len(batches)


def test_what_is_of_one_time_comes_in_one_window():
    size = WINDOW // 2
    fetched = {
        tp: [unread(tp, n * size, (n + 1) * size, until) for n, until in enumerate(of_topic)]
        for tp, of_topic in ((VISITS, (20, 40)), (REGISTRY, (10, 30)))
    }
    found = [(tp, batch.window, batch.unread[0].until) for tp, batch in assigned(set()).iterate(fetched)]
    assert [(tp, until) for tp, _, until in found] == [(REGISTRY, 10), (VISITS, 20), (REGISTRY, 30), (VISITS, 40)]
    windows = [window for _, window, _ in found]
    assert windows[0] == windows[1] < windows[2] == windows[3]


def test_what_another_topic_has_not_come_to_waits_for_it():
    behind = {REGISTRY}
    scheduling = assigned(behind)
    assert times(scheduling, {VISITS: one_each(VISITS, 5, 50)}) == {}  # nothing is known of the registry's yet
    assert scheduling.held == {VISITS}
    assert times(scheduling, {REGISTRY: one_each(REGISTRY, 1, 10)}) == {REGISTRY: [1, 10], VISITS: [5]}
    assert scheduling.held == {VISITS}
    behind.clear()
    assert times(scheduling, {REGISTRY: one_each(REGISTRY, 90, since=2)}) == {VISITS: [50], REGISTRY: [90]}
    assert not scheduling.held


def test_other_partition_numbers_wait_for_nothing():
    other = TP(VISITS.topic, 4)
    scheduling = assigned({REGISTRY}, (*TOPICS, other))
    assert times(scheduling, {VISITS: one_each(VISITS, 5), other: one_each(other, 5)}) == {other: [5]}


def test_a_new_assignment_forgets_what_waits():
    scheduling = assigned({REGISTRY})
    assert times(scheduling, {VISITS: one_each(VISITS, 5)}) == {}
    scheduling.assigned({(VISITS.topic, 3): 0}, lambda _: False)
    assert not scheduling.held
    assert times(scheduling, {}) == {}
    assert times(scheduling, {VISITS: one_each(VISITS, 5)}) == {VISITS: [5]}


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    now = SimpleNamespace(at=1_000.0)
    monkeypatch.setattr(time, "monotonic", lambda: now.at)
    return now


def test_a_topic_that_brings_nothing_is_not_waited_for_long(clock: SimpleNamespace):
    scheduling = assigned({REGISTRY})
    assert times(scheduling, {VISITS: one_each(VISITS, 5)}) == {}
    clock.at += OVERDUE_SECONDS
    assert times(scheduling, {}) == {VISITS: [5]}
    assert times(scheduling, {REGISTRY: one_each(REGISTRY, 1), VISITS: one_each(VISITS, 6, since=1)}) == {REGISTRY: [1]}


def test_a_clock_set_wrong_stops_no_partition(clock: SimpleNamespace):
    scheduling, year_9000 = assigned({REGISTRY}), 1 << 48
    came = times(scheduling, {VISITS: one_each(VISITS, year_9000, 7), REGISTRY: one_each(REGISTRY, 1)})
    assert came == {REGISTRY: [1]}
    clock.at += WAITING_SECONDS - 1
    assert times(scheduling, {REGISTRY: one_each(REGISTRY, 2, since=1)}) == {REGISTRY: [2]}
    clock.at += 1
    came = times(scheduling, {REGISTRY: one_each(REGISTRY, 3, since=2)})
    assert came == {REGISTRY: [3], VISITS: [year_9000, 7]}


Told = list[tuple[dict[TP, list[int]], set[TP]]]
"""What each fetch brings, and of what there is still more."""
fetches = st.lists(
    st.tuples(
        st.dictionaries(st.sampled_from(TOPICS), st.lists(st.integers(-1, 30), min_size=1, max_size=4)),
        st.sets(st.sampled_from(TOPICS)),
    ),
    max_size=6,
)


@given(fetches)
def test_each_record_comes_once_and_none_overtakes_one_of_its_partition(
    told: list[tuple[dict[TP, list[int]], set[TP]]],
):
    behind: set[TP] = set()
    scheduling, ends, found = assigned(behind), dict.fromkeys(TOPICS, 0), {tp: list[Batch]() for tp in TOPICS}
    for brought, still in [*told, ({}, set[TP]())]:
        behind.clear()
        behind |= still
        fetched = {tp: one_each(tp, *of_topic, since=ends[tp]) for tp, of_topic in brought.items()}
        ends |= {tp: some[-1].next_offset for tp, some in fetched.items()}
        for tp, batch in scheduling.iterate(fetched):
            found[tp].append(batch)
    assert not scheduling.held
    for tp, batches in found.items():
        assert [one.since for batch in batches for one in batch.unread] == list(range(ends[tp]))
        assert [batch.start for batch in batches] == [batch.unread[0].since for batch in batches]
