"""PostgreSQL for work that must not be lost: while it or its tables are away, the same work is tried again in place."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import TypeVar

import asyncpg

from services.projections import metrics
from shared.runtime import logs, postgres
from shared.runtime.settings import Settings

CONNECTIONS = 4
SHORTEST_PAUSE, LONGEST_PAUSE = 0.1, 2.0

LIMITS = {"lock_timeout": "2s"}
"""Who waits for a lock gives its connection back meanwhile, so that other partitions go on."""
PASSING = (*postgres.TRANSIENT, *postgres.ABSENT, asyncpg.LockNotAvailableError)

log = logs.get(__name__)
T = TypeVar("T")


class Patient:
    """Opens its pool when it is first used, in the loop that uses it. `session`: more settings of its connections."""

    def __init__(self, settings: Settings, session: Mapping[str, str] | None = None) -> None:
        self._settings, self._session = settings, LIMITS | dict(session or {})
        self.pool: asyncpg.Pool | None = None

    async def run(self, work: Callable[[asyncpg.Connection], Awaitable[T]]) -> T:
        """What `work` answers. It may run several times, and a run that failed may have committed: it is idempotent.

        Raises whatever does not pass by itself.
        """
        pause = SHORTEST_PAUSE
        while True:
            try:
                if self.pool is None:
                    self.pool = await postgres.pool(self._settings, most=CONNECTIONS, session=self._session)
                async with self.pool.acquire() as connection:
                    return await work(connection)
            except PASSING as error:
                if isinstance(error, ValueError):  # asyncpg cannot encode a value: waiting does not help
                    raise
                metrics.RETRIES.inc()
                if pause == SHORTEST_PAUSE:
                    log.warning("trying_again", why=type(error).__name__)
            await asyncio.sleep(pause)
            pause = min(2 * pause, LONGEST_PAUSE)
