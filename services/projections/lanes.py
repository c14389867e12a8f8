"""One lane a partition number: everything that waits for it, of all topics, becomes the next transaction.

So one transaction a number is in flight, in order, and a busy lane catches up in fewer, larger ones. What belongs to it
is decided when it begins, not while it waits for a connection: a backlog then comes in with all topics of a number at
once, and hardly a household has to be folded again because another topic's facts came late.
"""

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable

from services.projections.faust_seam import Batch

ONE_TRANSACTION = 10_000
"""Records, at most (one batch more begins below it)."""
ALL_LANES = 40_000
"""Records that may wait in this process before the next is taken from Kafka: bounds its memory."""

Take = Callable[[], list[Batch]]
"""What waits now, for one transaction. To be called once."""
Settle = Callable[[int, Take], Awaitable[None]]
"""Folds what it takes of a partition number. Returns when that is folded, or of no use; raises never."""


class Lanes:
    def __init__(self, settle: Settle) -> None:
        self._settle = settle
        self._waiting: dict[int, list[Batch]] = defaultdict(list)
        self._running: dict[int, asyncio.Task[None]] = {}
        self._records = 0
        self._room = asyncio.Event()

    async def put(self, batch: Batch) -> None:
        """Returns as soon as there is room for it."""
        while self._records >= ALL_LANES:
            self._room.clear()
            await self._room.wait()
        self._records += batch.size
        self._waiting[batch.partition].append(batch)
        if batch.partition not in self._running:
            self._running[batch.partition] = asyncio.create_task(self._run(batch.partition))

    async def _run(self, partition: int) -> None:
        while self._waiting[partition]:
            taken: list[Batch] = []

            def take(taken: list[Batch] = taken) -> list[Batch]:
                taken += self._next(partition)
                return taken

            await self._settle(partition, take)
            self._records -= sum(batch.size for batch in taken)
            self._room.set()
            if not taken:
                break  # it gave up
        del self._running[partition]

    def _next(self, partition: int) -> list[Batch]:
        waiting, taken, records = self._waiting[partition], 0, 0
        while taken < len(waiting) and records < ONE_TRANSACTION:
            records += waiting[taken].size
            taken += 1
        batches, self._waiting[partition] = waiting[:taken], waiting[taken:]
        return batches
