"""One process of a kind works, the others wait: a PostgreSQL session lock, and the connection that holds it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg

from shared.runtime.settings import Settings
from shared.runtime.worker import Pulse

BETWEEN_TRIES = 1.0
"""Seconds. Trying again, not waiting inside PostgreSQL: a statement that waits is an open transaction, and would hold
back the watermark (shared/eventstore/watermark.py)."""

NOTICE_A_DEAD_PEER = {"tcp_keepalives_idle": "10", "tcp_keepalives_interval": "5", "tcp_keepalives_count": "3"}
"""A machine that vanishes without a word keeps its lock for 25 seconds."""


def key_of(service: str, kind: str) -> str:
    """What the lock is named by."""
    return f"siao {service} {kind}"


@asynccontextmanager
async def sole(settings: Settings, kind: str, pulse: Pulse) -> AsyncIterator[asyncpg.Connection]:
    """The connection that holds the lock of (service, kind), as soon as nobody else does.

    Whoever works writes through this connection and no other: when it breaks the lock is gone, and so is every way of
    writing with it, so a process that was taken for dead cannot interfere. Raises OSError or asyncpg.PostgresError.
    """
    connection = await asyncpg.connect(
        settings.database.get_secret_value(),
        command_timeout=60,
        server_settings={"application_name": f"siao-{settings.service}-{kind}", **NOTICE_A_DEAD_PEER},
    )
    try:
        key = key_of(settings.service, kind)
        while not await connection.fetchval("SELECT pg_try_advisory_lock(hashtextextended($1, 0))", key):
            pulse.beat("standby")
            await asyncio.sleep(BETWEEN_TRIES)
        yield connection
    finally:
        await connection.close(timeout=5)
