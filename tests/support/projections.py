"""A schema of its own with the projections' tables, and records brought to the engine as a consumer would."""

import asyncio
import random
import secrets
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

import asyncpg
from aiokafka import AIOKafkaProducer

from services.projections import engine, made_by
from services.projections.checkpoint import Slice
from services.projections.decode import SERVICE_OF_TOPIC, read
from services.projections.engine import Settled
from services.projections.facts import LogRecord
from services.projections.models import MODELS
from shared.events.codes import Dimension, HouseholdClass, Level
from tests.support.log import (
    DAY,
    START,
    Log,
    Record,
    assessed,
    assigned,
    classified,
    delivered,
    ended,
    helper,
    household,
    registered,
)
from tests.support.processes import Process
from tests.support.servers import Servers, free_port

SETTLE_SECONDS = 60
MIGRATIONS = Path(__file__).parents[2] / "services" / "projections" / "migrations"


@asynccontextmanager
async def tables(admin_dsn: str) -> AsyncIterator[asyncpg.Connection]:
    """A connection whose search_path is a fresh schema with the migrations applied; gone at the end."""
    connection, schema = await asyncpg.connect(admin_dsn), f"try_{secrets.token_hex(4)}"
    try:
        await connection.execute(f"CREATE SCHEMA {schema}; SET search_path = {schema}")
        for migration in sorted(MIGRATIONS.glob("*.sql")):
            await connection.execute(migration.read_text(encoding="utf-8"))
        await made_by.note(connection, schema)
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
    for (_, partition), some in found.items():
        made[partition].append(slice_of(some, some[0].offset))
    return made


def slice_of(records: Sequence[LogRecord], start: int) -> Slice:
    """Of one partition, fetched from `start` on."""
    return Slice(SERVICE_OF_TOPIC[records[0].topic], start, [read(record) for record in records])


async def feed(connection: asyncpg.Connection, records: Sequence[LogRecord]) -> list[Settled]:
    """All of them as one batch a partition number."""
    return [await engine.settle(connection, {number: some}) for number, some in sorted(slices(records).items())]


async def feed_at_once(connection: asyncpg.Connection, records: Sequence[LogRecord]) -> Settled:
    """All of them as one batch, whatever their partition numbers are."""
    return await engine.settle(connection, slices(records))


async def state(connection: asyncpg.Connection, keys: Sequence[str] | None = None) -> dict[str, list[tuple[Any, ...]]]:
    """What all the facts together must always come to, table by table; of some keys alone, only what is theirs."""
    of_keys = {
        "card": "SELECT key, partition, kind, state, last_recorded_at, last_stream, last_version, incomplete FROM card",
        "stream_head": "SELECT * FROM stream_head",
        "fact": "SELECT key, stream, version, hash FROM fact",
        **{f"{model.name}_ledger": f"SELECT * FROM {model.name}_ledger" for model in MODELS},
    }
    summed = {f"{model.name}_rollup": f"SELECT * FROM {model.name}_rollup" for model in MODELS}
    whole = summed | {"freshness": "SELECT * FROM freshness"} if keys is None else {}
    found = {name: await connection.fetch(query) for name, query in whole.items()}
    for name, query in of_keys.items():
        found[name] = await connection.fetch(f"{query} WHERE $1::text[] IS NULL OR key = ANY($1)", keys)
    return {name: sorted(map(tuple, rows), key=repr) for name, rows in found.items()}


async def assert_rolled_up(connection: asyncpg.Connection) -> None:
    """Every rollup is the sum of its ledger."""
    for model in MODELS:
        columns = ", ".join(("partition", *model.columns))
        summed = f"SELECT {columns}, sum(delta)::integer FROM {model.changes} GROUP BY {columns}"
        rolled = f"SELECT {columns}, n FROM {model.name}_rollup"
        differing = await connection.fetch(f"({summed} HAVING sum(delta) <> 0) EXCEPT ({rolled})")
        differing += await connection.fetch(f"({rolled}) EXCEPT ({summed})")
        assert not differing, (model.name, differing[:3])
        assert not await connection.fetch(f"SELECT FROM {model.name}_rollup WHERE n <= 0"), model.name


def crowd(households: int, seed: int, name: str = "") -> Log:
    """Streams of many households, six events each, recorded one second apart or at once."""
    draw, log, moment = random.Random(seed), Log(), START
    names = [household(f"{name}{n}") for n in range(households)]
    for key in names:
        log.add(f"household-{key}", registered(key), recorded_at=moment)
    for n in range(households * 5):
        key = draw.choice(names)
        moment += timedelta(seconds=draw.choice([0, 1]))
        day = DAY + timedelta(days=draw.randrange(40))
        dimension = draw.choice(list(Dimension))
        stream, event = draw.choice(
            [
                ("household", classified(key, draw.choice(list(HouseholdClass)), day)),
                ("household", assessed(key, day, **{dimension.value: draw.random() < 0.8})),
                ("case", delivered(key, n, dimension, on=day, level=draw.choice(list(Level)))),
                ("pairing", draw.choice([assigned, ended])(key, helper(draw.randrange(3)), day)),
            ]
        )
        log.add(f"{stream}-{key}", event, recorded_at=moment)
    return log


async def publish(producer: AIOKafkaProducer, records: Iterable[Record]) -> None:
    sent = [
        await producer.send(r.topic, r.value, r.key, partition=r.partition, headers=list(r.headers)) for r in records
    ]
    await asyncio.gather(*sent)


def worker(servers: Servers, **environment: str) -> Process:
    settings = servers.settings("projections", http_port=free_port())
    return Process("projections", "", settings, servers.home.log("projections"), **environment)


async def folded(servers: Servers, log: Log) -> None:
    """Waits until every record has become a fact."""
    keys, until = sorted({(record.key or b"").decode() for record in log.records}), time.monotonic() + SETTLE_SECONDS
    while True:
        with suppress(OSError, asyncpg.PostgresError):
            connection = await asyncpg.connect(servers.dsn("gateway"))
            count = await connection.fetchval("SELECT count(*) FROM fact WHERE key = ANY($1)", keys)
            await connection.close()
            if count == len(log.records):
                return
        assert time.monotonic() < until, f"{count} of {len(log.records)}"
        await asyncio.sleep(0.2)


async def assert_as_if_nothing_had_happened(servers: Servers, log: Log) -> None:
    keys = sorted({(record.key or b"").decode() for record in log.records})
    async with tables(servers.admin_dsn) as straight:
        await feed(straight, log.records)
        expected = await state(straight, keys)
    live = await asyncpg.connect(servers.admin_dsn)
    await live.execute("SET search_path = projections")
    assert await state(live, keys) == expected
    await assert_rolled_up(live)
    await live.close()
