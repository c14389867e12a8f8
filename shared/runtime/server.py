"""uvicorn's server, woken when it should end instead of looking ten times a second whether it should."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from types import FrameType

import uvicorn

BETWEEN_TICKS = 1.0
"""Seconds. With a tick the date that answers carry is set."""
NOT_STARTED = 3
"""Exit code, as of uvicorn's own command."""


class Server(uvicorn.Server):
    _wake: Callable[[], object] | None = None

    async def main_loop(self) -> None:
        loop, ending = asyncio.get_running_loop(), asyncio.Event()
        self._wake = lambda: loop.call_soon_threadsafe(ending.set)
        while not await self.on_tick(0):
            with suppress(TimeoutError):
                await asyncio.wait_for(ending.wait(), BETWEEN_TICKS)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        super().handle_exit(sig, frame)
        if self._wake:
            self._wake()


def run(config: uvicorn.Config) -> None:
    """Until a signal ends it. Exits with uvicorn's code where it could not start."""
    server = Server(config)
    with suppress(KeyboardInterrupt):
        server.run()
    if not server.started:
        raise SystemExit(NOT_STARTED)
