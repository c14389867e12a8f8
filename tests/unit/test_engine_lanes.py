"""Lanes: one transaction a partition number at a time, in order, each with all that waits; memory is bounded."""

import asyncio
from types import SimpleNamespace
from typing import Any

from services.projections.lanes import ALL_LANES, ONE_TRANSACTION, Lanes, Take


def batch(partition: int, size: int, name: str = "") -> Any:
    return SimpleNamespace(partition=partition, size=size, name=name)


class Recorder:
    """Notes what is settled, and lets a test hold it up."""

    def __init__(self) -> None:
        self.settled: list[tuple[int, list[str]]] = []
        self.gate, self.connection = asyncio.Event(), asyncio.Event()
        self.connection.set()
        self.at_once: set[int] = set()

    async def settle(self, partition: int, take: Take) -> None:
        assert partition not in self.at_once
        self.at_once.add(partition)
        await self.connection.wait()
        batches = take()
        await self.gate.wait()
        self.at_once.discard(partition)
        self.settled.append((partition, [b.name for b in batches]))


async def quiet() -> None:
    for _ in range(20):
        await asyncio.sleep(0)


async def test_what_waits_becomes_one_transaction_in_order():
    recorder = Recorder()
    lanes = Lanes(recorder.settle)
    for name in "a", "b", "c":
        await lanes.put(batch(1, 10, name))
        await quiet()
    await lanes.put(batch(2, 10, "x"))
    await quiet()
    assert recorder.at_once == {1, 2}
    recorder.gate.set()
    await quiet()
    assert sorted(recorder.settled) == [(1, ["a"]), (1, ["b", "c"]), (2, ["x"])]


async def test_what_comes_before_there_is_a_connection_belongs_to_it():
    recorder = Recorder()
    recorder.connection.clear()
    lanes = Lanes(recorder.settle)
    for name in "a", "b":
        await lanes.put(batch(1, 10, name))
        await quiet()
    recorder.connection.set()
    await quiet()
    await lanes.put(batch(1, 10, "c"))
    recorder.gate.set()
    await quiet()
    assert recorder.settled == [(1, ["a", "b"]), (1, ["c"])]


async def test_a_transaction_has_a_size():
    recorder = Recorder()
    recorder.gate.set()
    lanes = Lanes(recorder.settle)
    for name in "abc":
        await lanes.put(batch(1, ONE_TRANSACTION // 2, name))
    await quiet()
    assert recorder.settled == [(1, ["a", "b"]), (1, ["c"])]


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
