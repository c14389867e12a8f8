"""A schema of its own with the projections' tables, and records brought to the engine as a consumer would."""

import secrets
from collections import defaultdict
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import asyncpg

from services.projections import engine
from services.projections.checkpoint import Slice
from services.projections.decode import SERVICE_OF_TOPIC
from services.projections.engine import Settled
from services.projections.facts import LogRecord
from services.projections.models import MODELS

MIGRATIONS = Path(__file__).parents[2] / "services" / "projections" / "migrations"


@asynccontextmanager
async def tables(admin_dsn: str) -> AsyncIterator[asyncpg.Connection]:
    """A connection whose search_path is a fresh schema with the migrations applied; gone at the end."""
    connection, schema = await asyncpg.connect(admin_dsn), f"try_{secrets.token_hex(4)}"
    try:
        await connection.execute(f"CREATE SCHEMA {schema}; SET search_path = {schema}")
        for migration in sorted(MIGRATIONS.glob("*.sql")):
            await connection.execute(migration.read_text(encoding="utf-8"))
        yield connection
    finally:
        await connection.execute(f"DROP SCHEMA {schema} CASCADE")
        await connection.close()


def slices(records: Iterable[LogRecord]) -> dict[int, list[Slice]]:
    """Partition number -> slices, from records that stand without gaps in their partitions."""
    found: dict[tuple[str, int], list[LogRecord]] = defaultdict(list)
    for record in records:
        found[record.topic, record.partition].append(record)
    made: dict[int, list[Slice]] = defaultdict(list)
    for (topic, partition), some in found.items():
        made[partition].append(Slice(SERVICE_OF_TOPIC[topic], some[0].offset, some))
    return made


async def feed(connection: asyncpg.Connection, records: Sequence[LogRecord]) -> list[Settled]:
    """All of them as one batch a partition number."""
    return [await engine.settle(connection, number, some) for number, some in sorted(slices(records).items())]


async def state(connection: asyncpg.Connection) -> dict[str, list[tuple[Any, ...]]]:
    """What all the facts together must always come to, table by table."""
    asked = {
        "card": "SELECT key, partition, kind, state, last_recorded_at, last_stream, last_version, incomplete FROM card",
        "stream_head": "SELECT * FROM stream_head",
        "fact": "SELECT stream, version, hash FROM fact",
        "freshness": "SELECT * FROM freshness",
        **{f"{m.name}_{kind}": f"SELECT * FROM {m.name}_{kind}" for m in MODELS for kind in ("ledger", "rollup")},
    }
    return {name: sorted(map(tuple, await connection.fetch(query)), key=repr) for name, query in asked.items()}
