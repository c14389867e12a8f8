"""What waits, of all topics and partition numbers, becomes the next transaction; a number is in one at a time.

So one event is folded at once, some that come together share a transaction whatever their numbers are, and a backlog
comes in in few large ones. What belongs to it is decided when it begins, not while it waits for a connection: all
topics of a number then come in at once, and hardly a household has to be folded again because another topic's facts
came late.
"""

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable
from itertools import chain
from typing import cast

from services.projections.faust_seam import Batch

IN_FLIGHT = 2
"""Transactions: while PostgreSQL writes one, the next is folded."""
ONE_TRANSACTION = 10_000
"""Records, at most (one batch more begins below it)."""
ALL_LANES = 40_000
"""Records that may wait in this process before the next is taken from Kafka: bounds its memory."""

Taken = dict[int, list[Batch]]
"""By partition number, in the order in which they came."""
Take = Callable[[], Taken]
"""What waits now, for one transaction. To be called once."""
Settle = Callable[[Take], Awaitable[None]]
"""Folds what it takes. Returns when that is folded, or of no use; raises never."""


class Lanes:
    def __init__(self, settle: Settle) -> None:
        self._settle = settle
        self._waiting: Taken = defaultdict(list)
        self._held: set[int] = set()
        """Numbers of which something is in flight."""
        self._running: set[asyncio.Task[None]] = set()
        self._records = 0
        self._room = asyncio.Event()

    async def put(self, batch: Batch) -> None:
        """Returns as soon as there is room for it."""
        while self._records >= ALL_LANES:
            self._room.clear()
            await self._room.wait()
        self._records += batch.size
        self._waiting[batch.partition].append(batch)
        if batch.partition not in self._held and len(self._running) < IN_FLIGHT:
            self._running.add(asyncio.create_task(self._run()))

    async def _run(self) -> None:
        """One transaction after another, until nothing waits but of numbers that the other one holds."""
        while self._waiting.keys() - self._held:
            taken: Taken = {}

            def take(taken: Taken = taken) -> Taken:
                taken |= self._next()
                return taken

            await self._settle(take)
            self._held -= taken.keys()
            self._records -= sum(batch.size for batch in chain.from_iterable(taken.values()))
            self._room.set()
            if not taken:
                break  # it gave up, or the other one was quicker
        self._running.discard(cast(asyncio.Task[None], asyncio.current_task()))

    def _next(self) -> Taken:
        taken, records = Taken(), 0
        for number in [number for number in self._waiting if number not in self._held]:
            waiting, count = self._waiting.pop(number), 0
            while count < len(waiting) and records < ONE_TRANSACTION:
                records += waiting[count].size
                count += 1
            taken[number] = waiting[:count]
            if count < len(waiting):
                self._waiting[number] = waiting[count:]
            if records >= ONE_TRANSACTION:
                break
        self._held |= taken.keys()
        return taken
