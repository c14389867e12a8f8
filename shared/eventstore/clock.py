"""What time it is when an event is recorded: the server's, or in a demonstration a simulated one that only goes on.

A simulated clock runs at the pace of the real one from where it was last set. A store that holds one event of the real
clock refuses a simulated one for ever.

Neither goes back: when the machine's clock is set back, events are recorded at the floor that the relay raised last,
until the machine has caught up. Else what is recorded now would change answers that were final.
"""

from datetime import datetime, timedelta
from typing import cast

import asyncpg

from shared.errors import Misconfigured
from shared.runtime.settings import Clock
from shared.runtime.statement import Statement, Told
from shared.thai import BANGKOK

DEMONSTRATION_BEGINS = datetime(2018, 1, 1, tzinfo=BANGKOK)
"""Before anything the demonstration records: its household survey is of 2561 (2018)."""

_RAW: dict[Clock, str] = {"real": "clock_timestamp()", "simulated": "time + (clock_timestamp() - set_at)"}


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
        """UPDATE clock SET kind = 'simulated', time = $1, set_at = clock_timestamp(), floor = '-infinity'
           WHERE kind = 'real' AND NOT EXISTS (SELECT FROM event)""",
        DEMONSTRATION_BEGINS,
    )
    if await connection.fetchval("SELECT kind FROM clock") != "simulated":
        raise Misconfigured("this store holds events of the real clock; a demonstration needs a store of its own")


def look_up(statement: Statement, kind: Clock) -> None:
    """Has it tell the time for `recorded_at`, once its locks are held; in the transaction that appends."""
    time = f"SELECT greatest({_RAW[kind]}, floor) FROM (VALUES (1)) AS one LEFT JOIN clock ON clock.one"  # noqa: S608
    statement.end_with("now", time)


def now(told: Told) -> datetime:
    [[moment]] = told["now"]
    return cast(datetime, moment)


async def raise_floor(connection: asyncpg.Connection, kind: Clock) -> tuple[datetime, timedelta]:
    """The time now, before which nothing is recorded any more by a transaction that begins from here on; and how far
    the machine's clock is behind it, if it was set back."""
    row = await connection.fetchrow(
        f"""UPDATE clock SET floor = greatest({_RAW[kind]}, floor)
            RETURNING floor, floor - least({_RAW[kind]}, floor)"""  # noqa: S608
    )
    return row[0], row[1]


async def advance(connection: asyncpg.Connection, moment: datetime) -> None:
    """Sets a simulated clock forward; a moment that has passed changes nothing."""
    await connection.execute(
        "UPDATE clock SET time = $1, set_at = clock_timestamp() WHERE $1 > time + (clock_timestamp() - set_at)", moment
    )
