"""The schemas: the live one, the copy in the making, those that were live before, and an auditor's."""

import re
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

import asyncpg

from services.projections.rebuild.setting import MakeTables

LIVE, COPY, OLD, AS_KNOWN = "projections", "projections_new", "projections_old_", "projections_as_known_"
CODE = Path(__file__).parents[1]
CONTRACT = Path(__file__).parents[3] / "shared" / "events"


def as_known(moment: datetime) -> str:
    return AS_KNOWN + moment.astimezone(UTC).strftime("%Y%m%d_%H%M%S_%f")


async def begin(connection: asyncpg.Connection, schema: str, make_tables: MakeTables, *, afresh: bool = False) -> bool:
    """An empty schema with every table, or the half-made one that an earlier run of the same code left: then True."""
    mark = f"half-made by {fingerprint()}"
    said = await connection.fetchval(
        "SELECT obj_description(oid, 'pg_namespace') FROM pg_namespace WHERE nspname = $1", schema
    )
    if said == mark and not afresh:
        return True
    await drop(connection, schema)
    await make_tables(connection, schema)
    # Only now: a schema without this mark may lack tables, and is made anew.
    await connection.execute(f"COMMENT ON SCHEMA {schema} IS '{mark}'")
    return False


async def drop(connection: asyncpg.Connection, schema: str) -> None:
    await connection.execute(f"DROP SCHEMA IF EXISTS {schema} CASCADE")


async def exists(connection: asyncpg.Connection, schema: str) -> bool:
    return bool(await connection.fetchval("SELECT true FROM pg_namespace WHERE nspname = $1", schema))


async def old(connection: asyncpg.Connection) -> list[str]:
    """Those that were live before, the latest first."""
    names = await connection.fetch(
        "SELECT nspname FROM pg_namespace WHERE nspname LIKE $1", OLD.replace("_", r"\_") + "%"
    )
    numbers = [int(row[0][len(OLD) :]) for row in names if re.fullmatch(r"[0-9]+", row[0][len(OLD) :])]
    return [f"{OLD}{number}" for number in sorted(numbers, reverse=True)]


async def next_old(connection: asyncpg.Connection) -> str:
    known = await old(connection)
    return f"{OLD}{int(known[0][len(OLD) :]) + 1 if known else 1}"


async def analyze(connection: asyncpg.Connection, schema: str) -> None:
    """The planner's statistics, or the first readers after the switch would get poor plans."""
    for table in await tables(connection, schema):
        await connection.execute(f"ANALYZE {schema}.{table}")


async def tables(connection: asyncpg.Connection, schema: str) -> list[str]:
    rows = await connection.fetch(
        """SELECT relname FROM pg_class WHERE relkind IN ('r', 'p') AND NOT relispartition
           AND relnamespace = (SELECT oid FROM pg_namespace WHERE nspname = $1) ORDER BY 1""",
        schema,
    )
    return [row[0] for row in rows]


def fingerprint() -> str:
    """Of all code that decides what is in the tables: what another version began is not continued."""
    files = [*CODE.glob("*.py"), *CODE.glob("*.sql"), *CODE.glob("migrations/*.sql"), *CONTRACT.glob("*.py")]
    return sha256(b"".join(path.read_bytes() for path in sorted(files))).hexdigest()[:32]
