"""One poller for everybody who watches: it looks at the position, and renders anew only when something moved."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import NamedTuple

import asyncpg

from shared.runtime import logs
from shared.runtime.postgres import ABSENT, TRANSIENT

POLL_SECONDS = 1.0
BROKEN_SECONDS = 5.0
"""Between two tries while something unforeseen is wrong: each is logged with its traceback."""

WAITING = "waiting"
"""The key of a state that tells of no figures."""

log = logs.get(__name__)


class State(NamedTuple):
    key: str
    """Changes when there is something new to see."""
    html: str


class Feed:
    """`look` answers the present key, cheaply; `render` the whole state. Nobody watching, nothing asked.

    While the tables cannot be read, what was shown last is shown under `notice`.
    """

    def __init__(self, look: Callable[[], Awaitable[str]], render: Callable[[], Awaitable[State]], notice: str) -> None:
        self._look, self._render, self._notice = look, render, notice
        self._state: State | None = None
        self._watchers = 0
        self._wanted = asyncio.Event()
        self._changed = asyncio.Condition()

    async def run(self) -> None:
        while True:
            await self._wanted.wait()
            await asyncio.sleep(await self._pause())

    async def _pause(self) -> float:
        """Polls once; answers how long to rest. It never raises: who watches would wait for ever, and nobody know."""
        try:
            await self._poll()
        except (*TRANSIENT, *ABSENT, asyncpg.UndefinedColumnError) as error:
            log.warning("live_page_waits", error=type(error).__name__)
            if self._state is None or self._state.key != WAITING:
                await self._show(State(WAITING, self._notice + (self._state.html if self._state else "")))
        except Exception:
            log.exception("live_page_broken")
            return BROKEN_SECONDS
        return POLL_SECONDS

    async def _poll(self) -> None:
        if self._state and await self._look() == self._state.key:
            return
        await self._show(await self._render())

    async def _show(self, state: State) -> None:
        async with self._changed:
            self._state = state
            self._changed.notify_all()

    async def states(self) -> AsyncIterator[State]:
        """The state now, then each new one; who is slow misses those in between."""
        self._watchers += 1
        self._wanted.set()
        seen: State | None = None
        try:
            while True:
                seen = await self._next(seen)
                yield seen
        finally:
            self._watchers -= 1
            if not self._watchers:
                self._wanted.clear()
                self._state = None

    async def _next(self, seen: State | None) -> State:
        async with self._changed:
            while self._state is None or self._state is seen:
                await self._changed.wait()
            return self._state
