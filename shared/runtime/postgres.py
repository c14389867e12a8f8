"""Connections to PostgreSQL, which of its errors pass by themselves, and rows as the arrays that `unnest` takes."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import asyncpg

from shared.runtime.settings import Settings

TRANSIENT: tuple[type[Exception], ...] = (
    OSError,
    asyncpg.PostgresConnectionError,
    asyncpg.InterfaceError,
    asyncpg.CannotConnectNowError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.TransactionRollbackError,
    asyncpg.TooManyConnectionsError,
    asyncpg.InsufficientResourcesError,
    asyncpg.InvalidCatalogNameError,
)
"""The server or its database is away, restarting, full, or asks for another try. What was in flight was rolled back, or
its outcome is unknown: repeat only what is idempotent."""

ABSENT: tuple[type[Exception], ...] = (
    asyncpg.UndefinedTableError,
    asyncpg.InvalidSchemaNameError,
)
"""The tables are not there. Those of the projections are made again when they were taken away (deploy/local/mender.py),
and filled from the log; of a service that keeps events it does not pass by itself."""


PLANNED_ONCE = {
    "plan_cache_mode": "force_generic_plan",
    "enable_seqscan": "off",
    "enable_hashjoin": "off",
    "enable_mergejoin": "off",
}
"""For a session that sends the same few statements for ever: each is planned once, not for each batch; perhaps while
the tables are small, so it must not be the plan that reads them whole. Where an array is joined, only LATERAL with
OFFSET 0 keeps PostgreSQL from reading all of an index (tests/integration/test_plans.py)."""


async def pool(
    settings: Settings, *, least: int = 1, most: int = 8, session: Mapping[str, str] | None = None
) -> asyncpg.Pool:
    """A pool of the process's own role; `session` are PostgreSQL's own settings of each connection.

    Nobody changes a session beyond its transaction, so a connection that is given back needs no reset but the one of
    asyncpg, which ends a transaction that was left open.

    Raises OSError or asyncpg.PostgresError when the server is not there.
    """
    return await asyncpg.create_pool(
        settings.database.get_secret_value(),
        min_size=least,
        max_size=most,
        command_timeout=60,
        reset=_nothing,
        server_settings={"application_name": f"siao-{settings.service}", **(session or {})},
    )


async def _nothing(_: asyncpg.Connection) -> None:
    pass


def columns(rows: Iterable[Sequence[Any]], width: int = 0) -> list[Sequence[Any]]:
    """One array a column. `width` is told where there may be no row."""
    return list(zip(*rows, strict=True)) or [()] * width
