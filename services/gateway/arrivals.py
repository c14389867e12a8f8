"""Readers who wait for what they wrote. However many wait, one look at a time asks for all of them; nobody waiting,
nothing is asked."""

import asyncio
from collections.abc import Iterable, Mapping

import asyncpg

from shared.errors import Rejected

WAIT_SECONDS = 5.0
"""The longest a reader waits."""
SOON_SECONDS, LOOK_SECONDS, LATER_SECONDS = 0.5, 0.005, 0.05
"""Most of what was written is there after some milliseconds: while anybody has waited for less than the first of these,
the second passes between two looks; else the third."""

_VERSIONS = "SELECT stream, version FROM stream_head WHERE stream = ANY($1)"

Wanted = Mapping[str, int]
"""Stream -> the version that must be folded."""


class Arrivals:
    """Of one gateway; lives in one event loop."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool
        self._waiting: dict[asyncio.Future[None], tuple[Wanted, float]] = {}
        """Who waits: for what, and since when."""
        self._looking: asyncio.Task[None] | None = None

    async def of(self, wanted: Wanted) -> None:
        """Returns when every stream is there. Raises Rejected not_yet_visible, and what asyncpg raises."""
        if not wanted or _there(wanted, await self._versions(wanted)):
            return
        loop = asyncio.get_running_loop()
        arrived: asyncio.Future[None] = loop.create_future()
        self._waiting[arrived] = wanted, loop.time()
        if self._looking is None:
            self._looking = asyncio.create_task(self._look())
        try:
            async with asyncio.timeout(WAIT_SECONDS):
                await arrived
        except TimeoutError:
            raise Rejected("not_yet_visible", field="Siao-After") from None
        finally:
            self._waiting.pop(arrived, None)

    async def _look(self) -> None:
        """Until nobody waits."""
        while self._waiting:
            await asyncio.sleep(self._pause())
            if self._waiting:
                await self._tell()
        self._looking = None

    def _pause(self) -> float:
        last = max((since for _, since in self._waiting.values()), default=0.0)
        return LOOK_SECONDS if asyncio.get_running_loop().time() - last < SOON_SECONDS else LATER_SECONDS

    async def _tell(self) -> None:
        asked = dict(self._waiting)
        try:
            versions = await self._versions({stream for wanted, _ in asked.values() for stream in wanted})
        except Exception as error:
            for arrived in asked:
                if not arrived.done():
                    arrived.set_exception(error)
            return
        for arrived, (wanted, _) in asked.items():
            if _there(wanted, versions) and not arrived.done():
                arrived.set_result(None)

    async def _versions(self, streams: Iterable[str]) -> Wanted:
        return dict(await self._pool.fetch(_VERSIONS, list(streams)))


def _there(wanted: Wanted, versions: Wanted) -> bool:
    return all(versions.get(stream, 0) >= version for stream, version in wanted.items())
