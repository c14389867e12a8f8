"""When the watch takes the worker for stalled, and which marks it believes."""

import time
from types import SimpleNamespace

import pytest

from services.projections import progress
from services.projections.checkpoint import SERVICES, Checkpoint
from services.projections.watch import STALLED_SECONDS, STARVED_SECONDS, Stall, Stalled, TablesAnew, Watch

PLACE = ("siao.registry.v1", 3)
MINE = frozenset([PLACE])
LONG = STALLED_SECONDS + 1


def test_a_partition_that_stands_still_before_records_is_a_stall():
    stall = Stall(now=0)
    stall.look(0, MINE, {PLACE: 5}, {PLACE: 9})
    stall.look(STALLED_SECONDS - 1, MINE, {PLACE: 5}, {PLACE: 10})
    with pytest.raises(Stalled):
        stall.look(LONG, MINE, {PLACE: 5}, {PLACE: 11})


OTHER = ("siao.registry.v1", 4)


def test_while_others_move_a_partition_may_wait_for_its_turn_but_not_for_ever():
    stall, both = Stall(now=0), frozenset([PLACE, OTHER])
    for now in range(0, int(STARVED_SECONDS) + 1, 20):
        stall.look(now, both, {OTHER: 1 + now}, {PLACE: 9, OTHER: 9_999})
    with pytest.raises(Stalled, match="v1-3 stands at 0 of 9"):
        stall.look(STARVED_SECONDS + 20, both, {OTHER: 9_000}, {PLACE: 9, OTHER: 9_999})


def test_once_the_others_have_done_their_part_it_may_not():
    stall, both = Stall(now=0), frozenset([PLACE, OTHER])
    stall.look(0, both, {OTHER: 1}, {PLACE: 9, OTHER: 5})
    stall.look(20, both, {OTHER: 5}, {PLACE: 9, OTHER: 5})
    stall.look(45, both, {OTHER: 5}, {PLACE: 9, OTHER: 5})
    with pytest.raises(Stalled):
        stall.look(20 + LONG, both, {OTHER: 5}, {PLACE: 9, OTHER: 5})


def test_moving_or_having_nothing_to_do_is_none():
    stall = Stall(now=0)
    for now in range(0, 200, 20):
        stall.look(now, MINE, {PLACE: now}, {PLACE: 999})
    for now in range(200, 400, 20):
        stall.look(now, MINE, {PLACE: 999}, {PLACE: 999})


def test_the_time_counts_from_when_there_was_something_to_do():
    stall = Stall(now=0)
    stall.look(0, MINE, {PLACE: 5}, {PLACE: 5})
    stall.look(100, MINE, {PLACE: 5}, {PLACE: 5})
    stall.look(101, MINE, {PLACE: 5}, {PLACE: 6})


def test_no_partition_at_all_is_a_stall():
    stall = Stall(now=0)
    stall.look(STALLED_SECONDS - 1, frozenset(), {}, {})
    with pytest.raises(Stalled):
        stall.look(LONG, frozenset(), {}, {})


def test_a_partition_that_another_worker_took_over_is_not_ours_to_judge():
    stall = Stall(now=0)
    stall.look(0, MINE, {PLACE: 5}, {PLACE: 9})
    other = ("siao.registry.v1", 4)
    stall.look(LONG, frozenset([other]), {other: 1}, {other: 1})
    stall.look(LONG + 1, MINE, {PLACE: 5}, {PLACE: 9})


@pytest.mark.parametrize(
    "value",
    [
        None,
        b"{",
        b"[]",
        b'{"service":"gateway","mark":"2019-10-01T00:00:00Z","offsets":{},"clock":"2019-10-01T00:00:00Z"}',
        b'{"service":"registry","mark":"2019-10-01T00:00:00","offsets":{},"clock":"2019-10-01T00:00:00Z"}',
        b'{"service":"registry","mark":"2019-10-01T00:00:00Z","offsets":{"a":1},"clock":"2019-10-01T00:00:00Z"}',
        b'{"service":"registry","mark":"2019-10-01T00:00:00Z","offsets":{"0":-1},"clock":"2019-10-01T00:00:00Z"}',
    ],
)
def test_what_is_no_mark_is_passed_over(value: bytes | None):
    assert progress.read(SimpleNamespace(value=value, offset=0)) is None


def test_a_mark_is_read():
    value = b'{"service":"registry","mark":"2019-10-01T00:00:00Z","offsets":{"0":12},"clock":"2019-10-01T00:00:00Z"}'
    mark = progress.read(SimpleNamespace(value=value, offset=0))
    assert mark is not None
    assert (mark.service, mark.offsets) == ("registry", {"0": 12})


async def test_checkpoints_that_are_gone_end_a_worker_also_while_it_has_nothing_to_do():
    """Somebody took the tables away, and they were made again: what they lack stands behind the worker."""

    class Database:
        looks = iter([{3: Checkpoint(3, dict.fromkeys(SERVICES, 5), {})}, {}])

        async def run(self, _: object) -> object:
            return next(self.looks)

    class Consumer:
        async def end_offsets(self, _: object) -> dict[object, int]:
            return {}

    watch = Watch(SimpleNamespace(assigned=frozenset()), None)
    watch.database, watch.links = Database(), SimpleNamespace(same=lambda _: True)
    stall = Stall(now=time.monotonic())
    await watch._look(stall, Consumer())
    with pytest.raises(TablesAnew):
        await watch._look(stall, Consumer())
