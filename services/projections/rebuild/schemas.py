"""The schemas: the live one, the copy in the making, those that were live before, and an auditor's."""

import re
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

import asyncpg

LIVE, COPY, OLD, AS_KNOWN = "projections", "projections_new", "projections_old_", "projections_as_known_"
CODE = Path(__file__).parents[1]
SHARED = Path(__file__).parents[3] / "shared"


def as_known(moment: datetime) -> str:
    return AS_KNOWN + moment.astimezone(UTC).strftime("%Y%m%d_%H%M%S_%f")


async def drop(connection: asyncpg.Connection, schema: str) -> None:
    await connection.execute(f"DROP SCHEMA IF EXISTS {schema} CASCADE")


async def exists(connection: asyncpg.Connection, schema: str) -> bool:
    return bool(await connection.fetchval("SELECT true FROM pg_namespace WHERE nspname = $1", schema))


async def said(connection: asyncpg.Connection, schema: str) -> str:
    """The comment on a schema; "" where there is none."""
    found = await connection.fetchval(
        "SELECT obj_description(oid, 'pg_namespace') FROM pg_namespace WHERE nspname = $1", schema
    )
    return found or ""


async def comment(connection: asyncpg.Connection, schema: str, text: str) -> None:
    await connection.execute(
        await connection.fetchval("SELECT format('COMMENT ON SCHEMA %I IS %L', $1::text, $2::text)", schema, text)
    )


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
    files = [*CODE.glob("*.py"), *CODE.glob("*.sql"), *CODE.glob("migrations/*.sql")]
    files += [*(SHARED / "events").glob("*.py"), SHARED / "definitions.py"]
    return sha256(b"".join(path.read_bytes() for path in sorted(files))).hexdigest()[:32]
