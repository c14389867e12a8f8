"""The other end of the poke (shared/runtime/poke.py): waits for a datagram, or for so many seconds."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from shared.runtime import logs
from shared.runtime.settings import Settings

log = logs.get(__name__)


class Wake(asyncio.DatagramProtocol):
    def __init__(self) -> None:
        self._poked = asyncio.Event()

    def datagram_received(self, data: bytes, addr: object) -> None:
        self.poke()

    def poke(self) -> None:
        self._poked.set()

    async def wait(self, seconds: float) -> None:
        """Returns at the next poke, at once if there was one since the last call, or when the time is up."""
        try:
            async with asyncio.timeout(seconds):
                await self._poked.wait()
        except TimeoutError:
            return
        self._poked.clear()


@asynccontextmanager
async def listening(settings: Settings) -> AsyncIterator[Wake]:
    """Listens on SIAO_POKE. Where that is unset or taken, `wait` only waits: slower, and just as right."""
    wake, transport = Wake(), None
    if settings.poke_address:
        try:
            loop = asyncio.get_running_loop()
            transport, _ = await loop.create_datagram_endpoint(lambda: wake, local_addr=settings.poke_address)
        except OSError as error:
            log.warning("poke_not_heard", reason=error.strerror)
    try:
        yield wake
    finally:
        if transport:
            transport.close()
