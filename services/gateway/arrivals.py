"""Readers who wait for what they wrote. However many wait, one look at a time asks for all of them: when one comes, and
when the projections have committed something and say so. Nobody waiting, nothing is asked."""

import asyncio
from collections.abc import Iterable, Mapping

import asyncpg

from shared.errors import Rejected
from shared.runtime.wake import Wake

WAIT_SECONDS = 5.0
"""The longest a reader waits."""
LOOK_SECONDS = 0.05
"""Between two looks where no poke comes: one may be lost, or another gateway of this machine hear it."""

_VERSIONS = "SELECT stream, version FROM stream_head WHERE stream = ANY(ARRAY(SELECT unnest($1::text[])))"
"""As many as there are, for all that the planner knows: else it would plan anew each time."""

Wanted = Mapping[str, int]
"""Stream -> the version that must be folded."""


class Arrivals:
    """Of one gateway; lives in one event loop."""

    def __init__(self, pool: asyncpg.Pool, wake: Wake) -> None:
        self._pool, self._wake = pool, wake
        self._waiting: dict[asyncio.Future[None], Wanted] = {}
        self._looking: asyncio.Task[None] | None = None

    async def of(self, wanted: Wanted) -> None:
        """Returns when every stream is there. Raises Rejected not_yet_visible, and what asyncpg raises."""
        if not wanted:
            return
        arrived: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting[arrived] = wanted
        self._wake.poke()
        self._looking = self._looking or asyncio.create_task(self._look())
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
            await self._wake.wait(LOOK_SECONDS)
            if self._waiting:
                await self._tell()
        self._looking = None

    async def _tell(self) -> None:
        asked = dict(self._waiting)
        try:
            versions = await self._versions({stream for wanted in asked.values() for stream in wanted})
        except Exception as error:
            for arrived in asked:
                if not arrived.done():
                    arrived.set_exception(error)
            return
        for arrived, wanted in asked.items():
            if _there(wanted, versions) and not arrived.done():
                arrived.set_result(None)

    async def _versions(self, streams: Iterable[str]) -> Wanted:
        return dict(await self._pool.fetch(_VERSIONS, list(streams)))


def _there(wanted: Wanted, versions: Wanted) -> bool:
    return all(versions.get(stream, 0) >= version for stream, version in wanted.items())
