"""What waits, of all topics and partition numbers, becomes the next transaction; a number is in one at a time.

So one event is folded at once, some that come together share a transaction whatever their numbers are, and a backlog
comes in in few large ones. What belongs to it is decided when it begins, not while it waits for a connection: all
topics of a number then come in at once, and hardly a household has to be folded again because another topic's facts
came late.
"""

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Collection, Sequence
from itertools import chain
from typing import cast

from services.projections.scheduling import Batch

IN_FLIGHT = 2
"""Transactions: while PostgreSQL writes one, the next is folded."""
ONE_TRANSACTION = 5_000
"""Records, at most (one window more begins below it)."""
ALL_LANES = 20_000
"""Records that may wait here before the next is taken from Kafka: bounds memory, with one fetch of each partition that
waits in scheduling.py."""

Taken = dict[int, list[Batch]]
"""By partition number, in the order in which they came."""
Take = Callable[[], Taken]
"""What waits now, for one transaction. To be called once."""
Settle = Callable[[Take], Awaitable[Collection[int]]]
"""Folds what it takes. Returns when that is folded, or of no use, but for these numbers: somebody else has them locked.
Raises never."""
LOCKED_SECONDS = 0.1
"""Until a number that somebody else had locked is tried again."""


class Lanes:
    def __init__(self, settle: Settle) -> None:
        self._settle = settle
        self._waiting: Taken = defaultdict(list)
        self._held: set[int] = set()
        """Numbers of which something is in flight, or that somebody else has locked."""
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
        self._begin()

    def _begin(self) -> None:
        if self._waiting.keys() - self._held and len(self._running) < IN_FLIGHT:
            self._running.add(asyncio.create_task(self._run()))

    async def _run(self) -> None:
        """One transaction after another, until nothing waits but of numbers that are held."""
        taken: list[Taken] = []

        def take() -> Taken:
            taken.append(self._next())
            return taken[-1]

        while self._waiting.keys() - self._held:
            locked = await self._settle(take)
            if not taken:
                break  # it gave up
            self._done(taken.pop(), locked)
        self._running.discard(cast(asyncio.Task[None], asyncio.current_task()))

    def _done(self, taken: Taken, locked: Collection[int]) -> None:
        for number in locked:
            self._waiting[number] = [*taken.pop(number), *self._waiting.pop(number, ())]
        if locked:
            asyncio.get_running_loop().call_later(LOCKED_SECONDS, self._free, locked)
        self._records -= sum(batch.size for batch in chain.from_iterable(taken.values()))
        self._room.set()
        self._held -= taken.keys()

    def _free(self, numbers: Collection[int]) -> None:
        self._held.difference_update(numbers)
        self._begin()

    def _next(self) -> Taken:
        taken, records = Taken(), 0
        for number in [number for number in self._waiting if number not in self._held]:
            waiting, count = self._waiting.pop(number), 0
            while count < len(waiting) and (records < ONE_TRANSACTION or _are_of_one_window(waiting, count)):
                records += waiting[count].size
                count += 1
            taken[number] = waiting[:count]
            if count < len(waiting):
                self._waiting[number] = waiting[count:]
            if records >= ONE_TRANSACTION:
                break
        self._held |= taken.keys()
        return taken


def _are_of_one_window(waiting: Sequence[Batch], count: int) -> bool:
    """The one at `count`, and the one before it."""
    return count > 0 and waiting[count].window == waiting[count - 1].window
