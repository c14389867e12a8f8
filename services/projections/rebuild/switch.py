"""The moment of the switch: live writing held, the copy brought to exactly the same place, both renamed at once.

Nobody has to be stopped, because PostgreSQL looks names up anew after a rename:
- A worker that waits for its checkpoint finds it in the schema that is live by then, at the same offsets, and goes on.
  It cannot write into the old one: whoever has locked a checkpoint there is waited for.
- Readers are never blocked. An answer is read from one snapshot; who took his before the copy was complete is waited
  for, and everybody later sees the same rows in both schemas, whichever name he gets.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg

from services.projections.rebuild import compare, schemas, targets
from services.projections.rebuild.crew import Crew
from services.projections.rebuild.refusal import Refused
from services.projections.rebuild.targets import Targets
from shared.runtime.failpoint import failpoint

HELD_SECONDS = 20
"""The longest for which live writing waits; the workers' watch would take 30 for a stall."""
LOCK_SECONDS = 5
"""The longest for which a transaction of a worker, or of a reader, is waited for."""
READER = "siao_gateway"


@asynccontextmanager
async def held(connection: asyncpg.Connection) -> AsyncIterator[Targets]:
    """A transaction in which the live checkpoints stand still, and where they stand. A launcher that hangs lets go."""
    async with connection.transaction():
        await connection.execute(
            f"SET LOCAL lock_timeout = '{LOCK_SECONDS}s'; SET LOCAL synchronous_commit = on; "
            f"SET LOCAL idle_in_transaction_session_timeout = '{HELD_SECONDS}s'"
        )
        for table in "checkpoint", *compare.COPIED:
            await connection.execute(f"LOCK TABLE {schemas.LIVE}.{table} IN EXCLUSIVE MODE")
        standing = await targets.of_schema(connection, schemas.LIVE)
        assert standing is not None  # noqa: S101 it is locked
        yield standing


async def align(connection: asyncpg.Connection, crew: Crew, schema: str, standing: Targets) -> None:
    """Folds the copy to where the live one stands. Raises Refused when it stands behind that already."""
    have = await targets.of_schema(connection, schema)
    if have is None or targets.beyond(have, standing):
        raise Refused(
            "The live projections went back and read the log again: wait until they have caught up (`./siao status`), "
            "then run the same command again.",
            "ระบบที่ใช้งานอยู่กำลังอ่านบันทึกใหม่ โปรดรอให้ทันก่อน (./siao status) แล้วจึงสั่งคำสั่งเดิมอีกครั้ง",
        )
    await crew.fold(standing)


async def rename(connection: asyncpg.Connection, other: asyncpg.Connection, schema: str) -> str | None:
    """Inside the transaction that holds the live one: `schema` becomes it. Answers the old one's new name.

    `other` is a second connection, whose commits are seen before this one's.
    """
    was: str | None = None
    if await schemas.exists(connection, schemas.LIVE):
        was = await schemas.next_old(connection)
        await _copy(other, schema)
        await _readers_gone(other)
        await connection.execute(f"ALTER SCHEMA {schemas.LIVE} RENAME TO {was}")
    await connection.execute(f"ALTER SCHEMA {schema} RENAME TO {schemas.LIVE}")
    await connection.execute(
        f"COMMENT ON SCHEMA {schemas.LIVE} IS NULL; GRANT USAGE ON SCHEMA {schemas.LIVE} TO {READER}"
    )
    failpoint("rebuild.before_switch")
    return was


async def _copy(connection: asyncpg.Connection, schema: str) -> None:
    """What no event makes, and since when something is parked."""
    async with connection.transaction():
        for table in compare.COPIED:
            if await connection.fetchval("SELECT to_regclass($1)", f"{schemas.LIVE}.{table}"):
                names = compare.quoted(await compare.common(connection, schema, table))
                await connection.execute(
                    f"DELETE FROM {schema}.{table}; "  # noqa: S608
                    f"INSERT INTO {schema}.{table} ({names}) SELECT {names} FROM {schemas.LIVE}.{table}"
                )
        if await connection.fetchval("SELECT to_regclass($1)", f"{schemas.LIVE}.parked"):
            await connection.execute(
                f"UPDATE {schema}.parked AS new SET parked_at = old.parked_at FROM {schemas.LIVE}.parked AS old "  # noqa: S608
                "WHERE (new.stream, new.version, new.hash) = (old.stream, old.version, old.hash)"
            )


async def _readers_gone(connection: asyncpg.Connection) -> None:
    """Waits for the readers whose snapshot may be older than the copy's last rows. Raises Refused."""
    now = await connection.fetchval("SELECT clock_timestamp()")
    until = asyncio.get_running_loop().time() + LOCK_SECONDS
    while await connection.fetchval(
        "SELECT count(*) FROM pg_stat_activity WHERE usename = $1 AND xact_start < $2", READER, now
    ):
        if asyncio.get_running_loop().time() > until:
            raise Refused(
                f"A reader has had its transaction open for over {LOCK_SECONDS} seconds: run the same command again.",
                "มีการอ่านข้อมูลค้างอยู่นานเกินไป โปรดสั่งคำสั่งเดิมอีกครั้ง",
            )
        await asyncio.sleep(0.01)
