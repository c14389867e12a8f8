"""Decides batches of commands, each batch in one transaction.

Commands that wait at the same time share a transaction and so a commit: the desk takes everything that is waiting, up
to `MOST`. Refusing one does not touch the others, since a decision is pure and comes before anything is written.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import Protocol

import asyncpg
from tenacity import AsyncRetrying, retry_if_exception_type, stop_after_attempt, wait_random_exponential

from shared.commands.batch import Answer, Batch, Deciding, Outcome, State
from shared.commands.reading import Submission
from shared.errors import Rejected
from shared.runtime import logs
from shared.runtime.postgres import TRANSIENT

MOST = 500
"""Commands in one transaction: enough to make the commit cheap, few enough to hold heads for some tens of ms."""
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


class Desk:
    """Takes submissions from any number of requests and answers each."""

    def __init__(self, pool: asyncpg.Pool, deciding: Deciding, poke: Poke) -> None:
        self._pool, self._deciding, self._poke = pool, deciding, poke
        self._states = States()
        self._waiting: asyncio.Queue[tuple[Submission, asyncio.Future[Outcome]]] = asyncio.Queue()
        self._expected = 1
        """Commands that had been sent when the last batch ended."""

    async def submit(self, submissions: Sequence[Submission], patience: Iterator[float]) -> list[Outcome]:
        """One outcome for each, in order. Looks again after each pause of `patience` for what is referred to and not
        known yet; one request's submissions share them, however many there are.

        Raises one of `postgres.TRANSIENT` when the store is away; sending again under the same id is safe.
        """
        outcomes = await self._enqueue(submissions)
        while unknown := [i for i, o in enumerate(outcomes) if isinstance(o, Rejected) and o.problem.retryable]:
            pause = next(patience, None)
            if pause is None:
                break
            await asyncio.sleep(pause)
            again = await self._enqueue([submissions[i] for i in unknown])
            for i, outcome in zip(unknown, again, strict=True):
                outcomes[i] = outcome
        return outcomes

    async def _enqueue(self, submissions: Sequence[Submission]) -> list[Outcome]:
        loop = asyncio.get_running_loop()
        futures: list[asyncio.Future[Outcome]] = [loop.create_future() for _ in submissions]
        for pair in zip(submissions, futures, strict=True):
            self._waiting.put_nowait(pair)
        return [await futures[0]] if len(futures) == 1 else await asyncio.gather(*futures)

    async def run(self) -> None:
        """Serves until cancelled; one batch at a time, so that what waits meanwhile forms the next."""
        while True:
            taken = [(submission, future) for submission, future in await self._take() if not future.done()]
            try:
                outcomes = await self._decide([submission for submission, _ in taken])
            except Exception as error:
                await self._one_by_one(taken, error)
                continue
            for (_, future), outcome in zip(taken, outcomes, strict=True):
                _answer(future, outcome)
            self._expected = len(taken) + self._waiting.qsize()

    async def _take(self) -> list[tuple[Submission, asyncio.Future[Outcome]]]:
        """What waits, and what comes behind it at once, up to as many as had sent when the last batch ended: who is
        answered together sends again together, and the first would else go alone, and all the others wait for it."""
        taken, clock = [await self._waiting.get()], asyncio.get_running_loop().time
        end = clock() + LONGEST
        with suppress(TimeoutError):
            async with asyncio.timeout_at(min(clock() + PAUSE, end)) as limit:
                while len(taken) < min(MOST, self._expected):
                    taken.append(await self._waiting.get())
                    limit.reschedule(min(clock() + PAUSE, end))
        while len(taken) < MOST and not self._waiting.empty():
            taken.append(self._waiting.get_nowait())
        return taken

    async def _one_by_one(self, taken: Sequence[tuple[Submission, asyncio.Future[Outcome]]], error: Exception) -> None:
        """What broke a batch must break only the command that it belongs to; a store that is away breaks all."""
        away = isinstance(error, TRANSIENT)
        if not away:
            log.error("batch_failed", commands=len(taken), exc_info=error)
        for submission, future in taken:
            if away:
                _answer(future, error)
                continue
            try:
                [outcome] = await self._decide([submission])
                _answer(future, outcome)
            except Exception as alone:
                _answer(future, alone)

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


def _answer(future: asyncio.Future[Outcome], outcome: Outcome | Exception) -> None:
    """A caller that went away has cancelled its future; what was decided stands all the same."""
    if future.done():
        return
    if isinstance(outcome, Exception) and not isinstance(outcome, Rejected):
        future.set_exception(outcome)
    else:
        future.set_result(outcome)
