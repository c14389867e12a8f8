"""Lanes: what waits becomes one transaction, a number is in one at a time, in order; memory is bounded."""

import asyncio
from collections.abc import Collection
from itertools import count
from types import SimpleNamespace
from typing import Any

import pytest

from services.projections import lanes as lanes_module
from services.projections.lanes import ALL_LANES, ONE_TRANSACTION, Lanes, Take

windows = count()


def batch(partition: int, size: int, name: str = "", window: int | None = None) -> Any:
    """In a window of its own, unless told."""
    return SimpleNamespace(
        partition=partition, size=size, name=name, window=next(windows) if window is None else window
    )


class Recorder:
    """Notes what is settled, and lets a test hold it up."""

    def __init__(self) -> None:
        self.settled: list[dict[int, str]] = []
        self.gate, self.connection = asyncio.Event(), asyncio.Event()
        self.connection.set()
        self.in_flight: list[dict[int, str]] = []
        self.locked: set[int] = set()

    async def settle(self, take: Take) -> Collection[int]:
        await self.connection.wait()
        names = {number: "".join(b.name for b in batches) for number, batches in take().items()}
        if not names:
            return ()
        assert all(names.keys().isdisjoint(other) for other in self.in_flight)
        self.in_flight.append(names)
        await self.gate.wait()
        self.in_flight.remove(names)
        self.settled.append({number: name for number, name in names.items() if number not in self.locked})
        return self.locked & names.keys()


async def quiet() -> None:
    for _ in range(20):
        await asyncio.sleep(0)


async def test_one_event_is_folded_at_once_and_what_waits_behind_it_is_one_transaction():
    recorder = Recorder()
    lanes = Lanes(recorder.settle)
    for number, name in (1, "a"), (1, "b"), (2, "x"), (1, "c"), (3, "z"):
        await lanes.put(batch(number, 10, name))
        await quiet()
    assert recorder.in_flight == [{1: "a"}, {2: "x"}]
    recorder.gate.set()
    await quiet()
    assert sorted(map(str, recorder.settled)) == ["{1: 'a'}", "{1: 'bc', 3: 'z'}", "{2: 'x'}"]


async def test_what_comes_before_there_is_a_connection_belongs_to_it():
    recorder = Recorder()
    recorder.connection.clear()
    lanes = Lanes(recorder.settle)
    for number, name in (1, "a"), (2, "x"), (1, "b"):
        await lanes.put(batch(number, 10, name))
        await quiet()
    recorder.connection.set()
    await quiet()
    await lanes.put(batch(1, 10, "c"))
    recorder.gate.set()
    await quiet()
    assert recorder.settled == [{1: "ab", 2: "x"}, {1: "c"}]


async def test_a_transaction_has_a_size_and_what_is_left_of_a_number_comes_behind_the_others():
    recorder = Recorder()
    recorder.connection.clear()
    recorder.gate.set()
    lanes = Lanes(recorder.settle)
    for number, name in (1, "a"), (1, "b"), (1, "c"), (2, "x"):
        await lanes.put(batch(number, ONE_TRANSACTION // 2, name))
    recorder.connection.set()
    await quiet()
    assert recorder.settled == [{1: "ab"}, {2: "x", 1: "c"}]


async def test_a_window_is_one_transaction():
    recorder = Recorder()
    recorder.connection.clear()
    recorder.gate.set()
    lanes = Lanes(recorder.settle)
    for name, window in ("a", -1), ("b", -1), ("c", -1), ("d", -2):
        await lanes.put(batch(1, ONE_TRANSACTION // 2, name, window))
    recorder.connection.set()
    await quiet()
    assert recorder.settled == [{1: "abc"}, {1: "d"}]


async def test_who_brings_too_much_waits():
    recorder = Recorder()
    lanes = Lanes(recorder.settle)
    await lanes.put(batch(1, ALL_LANES))
    late = asyncio.create_task(lanes.put(batch(2, 1)))
    await quiet()
    assert not late.done()
    recorder.gate.set()
    await quiet()
    assert late.done()
    assert len(recorder.settled) == 2


async def test_who_has_a_number_locked_holds_up_no_other(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(lanes_module, "LOCKED_SECONDS", 0)
    recorder = Recorder()
    recorder.connection.clear()
    recorder.locked, lanes = {1}, Lanes(recorder.settle)
    for number, name in (1, "a"), (2, "x"):
        await lanes.put(batch(number, 10, name))
    recorder.connection.set()
    recorder.gate.set()
    await quiet()
    await lanes.put(batch(2, 10, "y"))
    await lanes.put(batch(1, 10, "b"))
    await quiet()
    assert [names for names in recorder.settled if names] == [{2: "x"}, {2: "y"}]
    recorder.locked.clear()
    await quiet()
    assert recorder.settled[-1] == {1: "ab"}


async def test_a_lane_that_found_nothing_goes_on_with_what_comes():
    """Two begin for two numbers, and the first takes both."""
    recorder = Recorder()
    lanes = Lanes(recorder.settle)
    await lanes.put(batch(1, 10, "a"))
    await lanes.put(batch(2, 10, "x"))
    await asyncio.sleep(0)
    await lanes.put(batch(3, 10, "q"))
    await quiet()
    assert recorder.in_flight == [{1: "a", 2: "x"}, {3: "q"}]


async def test_nothing_is_left_lying_whatever_comes_when():
    """Each batch comes in the moment in which some transaction ends."""
    recorder = Recorder()
    recorder.gate.set()
    lanes = Lanes(recorder.settle)
    for turn in range(200):
        await lanes.put(batch(turn % 3, 1, "."))
        for _ in range(turn % 7):
            await asyncio.sleep(0)
    await quiet()
    assert sum(len(name) for names in recorder.settled for name in names.values()) == 200
