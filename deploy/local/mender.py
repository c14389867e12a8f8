"""The projections' tables hold nothing that the log does not: when somebody takes them away, they are made again, and
the worker folds the log into them from its first record."""

from collections.abc import Awaitable, Callable
from urllib.parse import urlsplit

import asyncpg

from deploy.local.postgres import DATABASE
from deploy.local.trouble import Trouble

AWAY: tuple[type[Exception], ...] = (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError, Trouble)


class Mender:
    """Looks whether the tables are there, and has them made by `provision`. One connection, for as long as it lasts."""

    def __init__(self, admin_dsn: str, provision: Callable[[], Awaitable[object]]) -> None:
        self._dsn = urlsplit(admin_dsn)._replace(path=f"/{DATABASE}").geturl()
        self._provision = provision
        self._connection: asyncpg.Connection | None = None

    async def look(self) -> bool:
        """Whether they were gone, and are there again. While PostgreSQL is away or full nothing is done, nor raised."""
        try:
            if not await self._gone():
                return False
            await self._provision()
        except AWAY:
            await self.close()
            return False
        return True

    async def _gone(self) -> bool:
        if self._connection is None or self._connection.is_closed():
            self._connection = await asyncpg.connect(self._dsn, timeout=5, command_timeout=5)
        return bool(await self._connection.fetchval("SELECT to_regclass('projections.checkpoint') IS NULL"))

    async def close(self) -> None:
        if self._connection:
            self._connection.terminate()
            self._connection = None
