"""The projections' tables hold nothing that the log does not: when somebody takes them away, they are made again, and
the worker folds the log into them from its first record."""

from collections.abc import Awaitable, Callable
from urllib.parse import urlsplit

import asyncpg

from deploy.local.postgres import DATABASE
from deploy.local.trouble import Trouble
from shared.runtime.postgres import TRANSIENT

FAILED: tuple[type[Exception], ...] = (*TRANSIENT, TimeoutError, asyncpg.PostgresError, Trouble)
GONE = "SELECT to_regclass('projections.checkpoint') IS NULL AND to_regclass('registry.event') IS NOT NULL"
"""Where the stores are gone too, a database is being put back, and is not to be touched."""


class Mender:
    """Looks whether the tables are there, and has them made by `provision`. One connection, for as long as it lasts."""

    def __init__(self, admin_dsn: str, provision: Callable[[], Awaitable[object]]) -> None:
        self._dsn = urlsplit(admin_dsn)._replace(path=f"/{DATABASE}").geturl()
        self._provision = provision
        self._connection: asyncpg.Connection | None = None
        self._begun = False
        """They were being made, and perhaps not all of them are."""
        self.failure = ""
        """Why they could not be made, the last time; nothing while PostgreSQL is away."""

    async def look(self) -> bool:
        """Whether they were gone, and are there again. Raises nothing: what fails is tried again with the next look."""
        try:
            if not self._begun and not await self._gone():
                return False
            self._begun = True
            await self._provision()
        except FAILED as error:
            await self.close()
            self.failure = "" if isinstance(error, TRANSIENT) else f"{type(error).__name__}: {error}"
            return False
        self._begun, self.failure = False, ""
        return True

    async def _gone(self) -> bool:
        if self._connection is None or self._connection.is_closed():
            self._connection = await asyncpg.connect(self._dsn, timeout=5, command_timeout=5)
        return bool(await self._connection.fetchval(GONE))

    async def close(self) -> None:
        if self._connection:
            self._connection.terminate()
            self._connection = None
