"""Decides batches of commands, each batch in one transaction.

Commands that wait at the same time share a transaction and so a commit: the desk takes everything that is waiting, up
to `MOST`. Refusing one does not touch the others, since a decision is pure and comes before anything is written.

While PostgreSQL looks up and writes for one batch, another is decided, of commands that have nothing to do with those
of the first (`Deciding.at_once`, `apart`). What one request sends together is decided in one batch, in its order.
"""

import asyncio
from collections import OrderedDict, deque
from collections.abc import Hashable, Iterator, Sequence, Set
from contextlib import suppress
from typing import NamedTuple, Protocol

import asyncpg
from tenacity import AsyncRetrying, retry_if_exception_type, stop_after_attempt, wait_random_exponential

from shared.commands.batch import Answer, Batch, Deciding, Outcome, State
from shared.commands.reading import Submission
from shared.errors import Rejected
from shared.runtime import logs
from shared.runtime.postgres import TRANSIENT

MOST = 500
"""Commands in one transaction: enough to make the commit cheap, few enough to hold heads for some tens of ms."""
FEW = 16
"""Commands that are not divided among batches: each batch costs as much as several commands by itself."""
PAUSE, LONGEST = 0.002, 0.005
"""Seconds that a batch waits for one command more, where more are expected, and for all of them."""
STATES = 10_000
"""Folded states kept in memory, least recently used first to go; some kilobytes each."""
PATIENCE = (0.1, 0.2, 0.3, 0.4)
"""Seconds between looks at references that are not known yet: one second in all, a request."""

log = logs.get(__name__)


class Poke(Protocol):
    def __call__(self) -> None: ...


class States:
    """Folded states by stream, with the version and hash at which they stand. A stream is only ever appended to, so a
    kept state is at most behind, unless the store went back to a backup (batch.py looks); and a command costs the same
    on a stream of ten events and of ten thousand."""

    def __init__(self, most: int = STATES) -> None:
        self._kept: OrderedDict[str, State] = OrderedDict()
        self._most = most

    def get(self, stream: str) -> State | None:
        kept = self._kept.get(stream)
        if kept is not None:
            self._kept.move_to_end(stream)
        return kept

    def keep(self, stream: str, version: int, digest: str, state: object) -> None:
        self._kept[stream] = (version, digest, state)
        self._kept.move_to_end(stream)
        if len(self._kept) > self._most:
            self._kept.popitem(last=False)


class Sent(NamedTuple):
    """Submissions that came together and are answered together."""

    submissions: Sequence[Submission]
    answered: asyncio.Future[list[Outcome]]
    apart: Set[Hashable]
    """What it must not share with one that is decided in another batch at the same time."""


class Desk:
    """Takes submissions from any number of requests and answers each."""

    def __init__(self, pool: asyncpg.Pool, deciding: Deciding, poke: Poke) -> None:
        self._pool, self._deciding, self._poke = pool, deciding, poke
        self._states = States()
        self._waiting: deque[Sent] = deque()
        self._taking, self._stir = asyncio.Lock(), asyncio.Event()
        self._wanted = 1
        """Commands for which who takes the next batch waits."""
        self._waits = self._busy = 0
        """Commands that wait, and that are being decided."""
        self._about: set[Hashable] = set()
        """What those that are being decided must not share with others."""
        self._expected = 1
        """Commands that had been sent when the last batch ended."""

    async def submit(self, submissions: Sequence[Submission], patience: Iterator[float]) -> list[Outcome]:
        """One outcome for each, in order. Looks again after each pause of `patience` for what is referred to and not
        known yet; one request's submissions share them, however many there are.

        Raises one of `postgres.TRANSIENT` when the store is away; sending again under the same id is safe.
        """
        outcomes = await self._enqueue(submissions) if submissions else []
        while unknown := [i for i, o in enumerate(outcomes) if isinstance(o, Rejected) and o.problem.retryable]:
            pause = next(patience, None)
            if pause is None:
                break
            await asyncio.sleep(pause)
            again = await self._enqueue([submissions[i] for i in unknown])
            for i, outcome in zip(unknown, again, strict=True):
                outcomes[i] = outcome
        return outcomes

    def _enqueue(self, submissions: Sequence[Submission]) -> asyncio.Future[list[Outcome]]:
        # Two with one id would meet at the receipts' key, and one of the batches begin again.
        apart = {one.key for one in submissions}.union(*map(self._deciding.apart, submissions))
        sent = Sent(submissions, asyncio.get_running_loop().create_future(), apart)
        self._waiting.append(sent)
        self._waits += len(submissions)
        if self._waits >= self._wanted:
            self._stir.set()
        return sent.answered

    async def run(self) -> None:
        """Serves until cancelled."""
        async with asyncio.TaskGroup() as group:
            for _ in range(self._deciding.at_once):
                group.create_task(self._serve())

    async def _serve(self) -> None:
        """One batch after the other, so that what waits meanwhile forms the next."""
        while True:
            async with self._taking:
                taken = await self._take()
            size, about = _size(taken), set[Hashable]().union(*(one.apart for one in taken))
            self._busy += size
            self._about |= about
            await self._settle([one for one in taken if not one.answered.done()])
            self._about -= about
            self._busy -= size
            self._expected = size + self._busy + self._waits
            self._stir.set()

    async def _take(self) -> list[Sent]:
        while True:
            await self._gathered()
            if taken := self._next():
                return taken
            await self._stirred(self._waits + 1)

    async def _gathered(self) -> None:
        """Until what comes at once behind what waits is here, up to as many as had sent when the last batch ended: who
        is answered together sends again together, and the first would else go alone, and the others wait for it."""
        clock, wanted, before = asyncio.get_running_loop().time, min(MOST, self._expected - self._busy), 0
        end = clock() + LONGEST
        while before < self._waits < wanted:
            before = self._waits
            with suppress(TimeoutError):
                async with asyncio.timeout_at(min(clock() + PAUSE, end)):
                    while self._waits < wanted:
                        await self._stirred(wanted)

    async def _stirred(self, waiting: int) -> None:
        """Until so many wait, or a batch has ended."""
        self._wanted = waiting
        self._stir.clear()
        await self._stir.wait()

    def _next(self) -> list[Sent]:
        """In the order in which they came, but for those who must wait for a batch that is being decided."""
        share = self._waits if self._busy else max(FEW, -(-self._waits // self._deciding.at_once))
        room = min(MOST, share)
        taken: list[Sent] = []
        left: deque[Sent] = deque()
        others = set(self._about)
        while self._waiting and (not taken or len(self._waiting[0].submissions) <= room):
            one = self._waiting.popleft()
            if others.isdisjoint(one.apart):
                taken.append(one)
                room -= len(one.submissions)
            else:
                left.append(one)
                others |= one.apart
        self._waiting.extendleft(reversed(left))
        self._waits -= _size(taken)
        return taken

    async def _settle(self, taken: Sequence[Sent]) -> None:
        try:
            outcomes = iter(await self._decide([each for one in taken for each in one.submissions]))
        except Exception as error:
            await self._one_by_one(taken, error)
            return
        for one in taken:
            _answer(one, [next(outcomes) for _ in one.submissions])

    async def _one_by_one(self, taken: Sequence[Sent], error: Exception) -> None:
        """What broke a batch must break only the request that it belongs to; a store that is away breaks all."""
        away = isinstance(error, TRANSIENT)
        if not away:
            log.error("batch_failed", commands=_size(taken), exc_info=error)
        for one in taken:
            _answer(one, [error] if away else [await self._alone(each) for each in one.submissions])

    async def _alone(self, submission: Submission) -> Outcome | Exception:
        try:
            [outcome] = await self._decide([submission])
        except Exception as error:
            return error
        return outcome

    async def _decide(self, submissions: Sequence[Submission]) -> list[Outcome]:
        async for attempt in AsyncRetrying(
            retry=retry_if_exception_type((asyncpg.UniqueViolationError, *TRANSIENT)),
            wait=wait_random_exponential(multiplier=0.02, max=0.5),
            stop=stop_after_attempt(6),
            reraise=True,
        ):
            with attempt:
                async with self._pool.acquire() as connection:
                    batch = Batch(connection, self._deciding, self._states)
                    outcomes = await batch.settle(submissions)
        if any(isinstance(outcome, Answer) and not outcome.repeated for outcome in outcomes):
            self._poke()
        return outcomes


def _size(several: Sequence[Sent]) -> int:
    return sum(len(one.submissions) for one in several)


def _answer(sent: Sent, outcomes: Sequence[Outcome | Exception]) -> None:
    """A caller that went away has cancelled its future; what was decided stands all the same."""
    if sent.answered.done():
        return
    decided = [one for one in outcomes if isinstance(one, Answer | Rejected)]
    if len(decided) == len(outcomes):
        sent.answered.set_result(decided)
    else:
        sent.answered.set_exception(next(one for one in outcomes if not isinstance(one, Answer | Rejected)))
