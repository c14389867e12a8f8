"""What time it is when an event is recorded: the server's, or in a demonstration a simulated one that only goes on.

A simulated clock runs at the pace of the real one from where it was last set. A store that holds one event of the real
clock refuses a simulated one for ever.
"""

from datetime import datetime

import asyncpg

from shared.errors import Misconfigured
from shared.runtime.settings import Clock
from shared.thai import BANGKOK

DEMONSTRATION_BEGINS = datetime(2018, 1, 1, tzinfo=BANGKOK)
"""Before anything the demonstration records: its household survey is of 2561 (2018)."""

_NOW = "SELECT time + (clock_timestamp() - set_at) FROM clock"


async def claim(connection: asyncpg.Connection, kind: Clock) -> None:
    """Called once at start. Raises Misconfigured when the store holds events of the real clock and is to simulate."""
    await connection.execute(
        "INSERT INTO clock (kind, time, set_at) VALUES ($1, $2, clock_timestamp()) ON CONFLICT DO NOTHING",
        kind,
        DEMONSTRATION_BEGINS,
    )
    if kind == "real":
        return
    await connection.execute(
        """UPDATE clock SET kind = 'simulated', time = $1, set_at = clock_timestamp()
           WHERE kind = 'real' AND NOT EXISTS (SELECT FROM event)""",
        DEMONSTRATION_BEGINS,
    )
    if await connection.fetchval("SELECT kind FROM clock") != "simulated":
        raise Misconfigured("this store holds events of the real clock; a demonstration needs a store of its own")


async def now(connection: asyncpg.Connection, kind: Clock) -> datetime:
    """The time for `recorded_at`, read after the heads are locked."""
    moment: datetime = await connection.fetchval(_NOW if kind == "simulated" else "SELECT clock_timestamp()")
    return moment


async def mark_real(connection: asyncpg.Connection) -> None:
    """Notes, in the transaction that records it, that an event of the real clock is here. Locks nothing once noted."""
    await connection.execute("UPDATE clock SET kind = 'real' WHERE kind <> 'real'")


async def advance(connection: asyncpg.Connection, moment: datetime) -> None:
    """Sets a simulated clock forward; a moment that has passed changes nothing."""
    await connection.execute(
        "UPDATE clock SET time = $1, set_at = clock_timestamp() WHERE $1 > time + (clock_timestamp() - set_at)", moment
    )
