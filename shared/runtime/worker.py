"""A process that works by itself, beside an HTTP server that only says how it is: the relays and the followers.

Its work is a session that never returns. What passes by itself (Kafka or PostgreSQL away, a connection broken) ends a
session, and another begins; anything else ends the process, which its supervisor starts again.
"""

import asyncio
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager
from time import monotonic
from typing import Any

from aiokafka.errors import KafkaError
from starlette.applications import Starlette

from shared.errors import SiaoError
from shared.runtime import logs, web
from shared.runtime.postgres import TRANSIENT

PASSING: tuple[type[Exception], ...] = (KafkaError, *TRANSIENT)
SHORTEST_PAUSE, LONGEST_PAUSE = 0.2, 5.0
GOOD_SESSION = 10.0
"""Seconds after which a session counts as one that had begun well, so that the next pause is short again."""
SILENCE = 15.0
EXIT_CODE = 70
"""EX_SOFTWARE of sysexits.h."""

log = logs.get(__name__)


class NotWorking(SiaoError):
    pass


class Pulse:
    """What the work does and when it last came round, for readiness."""

    def __init__(self) -> None:
        self._state, self._at = "starting", 0.0

    def beat(self, state: str = "working") -> None:
        """Called once a round. "standby" is as healthy as "working": another process does the work."""
        self._state, self._at = state, monotonic()

    async def ready(self) -> dict[str, object]:
        if monotonic() - self._at > SILENCE:
            raise NotWorking(self._state)
        return {"state": self._state}


Session = Callable[[Pulse], Awaitable[None]]


def worker(title: str, session: Session) -> Starlette:
    """An app with the common routes, whose work runs as long as it serves."""
    pulse = Pulse()

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        async with going_on(_sessions(session, pulse)):
            yield

    app = Starlette(lifespan=lifespan)
    return web.equip(app, pulse.ready)


async def _sessions(session: Session, pulse: Pulse) -> None:
    pause = SHORTEST_PAUSE
    while True:
        begun = monotonic()
        try:
            await session(pulse)
        except PASSING as error:
            log.warning("session_ended", why=type(error).__name__, again_in=pause)
        pause = SHORTEST_PAUSE if monotonic() - begun > GOOD_SESSION else min(2 * pause, LONGEST_PAUSE)
        await asyncio.sleep(pause)


@asynccontextmanager
async def going_on(work: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
    """Work that goes on beside the block. A process without it is of no use: it ends, and its supervisor starts it
    again. That holds for a cancellation too, which can escape from a library that cancels tasks of its own."""
    task = asyncio.create_task(work)
    task.add_done_callback(_end_process)
    try:
        yield
    finally:
        task.remove_done_callback(_end_process)
        while not task.done():  # again, because what breaks while work is closed can hide the cancellation
            task.cancel()
            await asyncio.wait([task], timeout=1)


def _end_process(task: asyncio.Task[None]) -> None:
    why = "cancelled" if task.cancelled() else repr(task.exception())
    log.critical("work_ended", why=why, exc_info=None if task.cancelled() else task.exception())
    os._exit(EXIT_CODE)
