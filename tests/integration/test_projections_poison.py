"""What is set aside, in a real PostgreSQL: before its true record, and when the log that held it has lost its end."""

import json
import random
from collections.abc import AsyncIterator, Sequence
from itertools import pairwise
from typing import Any

import asyncpg
import pytest
import pytest_asyncio

from services.projections import checkpoints
from shared.events.codes import HouseholdClass
from shared.events.topics import partition_of
from tests.support.log import START, Log, Record, classified, household, registered, resealed, sealed, told
from tests.support.projections import feed, state, tables
from tests.support.seeded import poison
from tests.support.servers import Servers

KEY = household(1)
NAME = f"household-{KEY}"
OTHER = next(key for n in range(2, 999) if partition_of(key := household(n)) == partition_of(KEY))


@pytest_asyncio.fixture
async def database(servers: Servers) -> AsyncIterator[asyncpg.Connection]:
    async with tables(servers.admin_dsn) as connection:
        yield connection


async def whole(connection: asyncpg.Connection) -> dict[str, Any]:
    """Also what is parked, but for when, and where in the log."""
    parked = await connection.fetch("SELECT stream, version, hash, key, reason, headers, value FROM parked")
    return await state(connection) | {"parked": sorted(map(tuple, parked))}


async def straight(servers: Servers, records: Sequence[Record]) -> dict[str, Any]:
    async with tables(servers.admin_dsn) as connection:
        await feed(connection, records)
        return await whole(connection)


@pytest.mark.parametrize("seed", range(2))
async def test_poison_ahead_of_its_true_record_changes_nothing_wherever_batches_end(
    servers: Servers, database: asyncpg.Connection, seed: int
):
    log, draw = Log(), random.Random(seed)
    for n, spoiled in enumerate(poison.KINDS.values()):
        stream, true = f"household-{household(n)}", Log()
        true.add(stream, registered(household(n)))
        for _ in range(2):
            true.add(stream, classified(household(n), HouseholdClass.WELFARE))
        first, second, third = true.records
        for record in (first, spoiled(second), second, third):
            log.put(record)
    edges = [0, *sorted(draw.sample(range(1, len(log.records)), 25)), len(log.records)]
    for a, b in pairwise(edges):
        await feed(database, log.records[a:b])
    assert await whole(database) == await straight(servers, log.records)
    assert await database.fetchval("SELECT count(*) FROM fact") == 3 * len(poison.KINDS)
    assert await database.fetchval("SELECT count(*) FROM parked") == 0


def with_a_damaged_end() -> tuple[list[Record], list[Record]]:
    """Sound records, and what stands behind them in the same partition, all of which will be parked."""
    log = Log()
    one, two = log.add(NAME, registered(KEY)), log.add(NAME, classified(KEY, HouseholdClass.WELFARE))
    beside = sealed(NAME, 2, told(one)["ce_hash"], classified(KEY, HouseholdClass.DEVELOPABLE), START)
    third = sealed(NAME, 3, told(two)["ce_hash"], classified(KEY, HouseholdClass.WELFARE), START)
    gap = sealed(f"household-{OTHER}", 2, "0" * 64, classified(OTHER, HouseholdClass.WELFARE), START)
    return [one, two], [log.put(record) for record in (beside, resealed(third, b"{"), gap)]


async def test_what_was_parked_goes_with_the_end_that_a_broker_lost(servers: Servers, database: asyncpg.Connection):
    sound, damaged = with_a_damaged_end()
    await feed(database, [*sound, *damaged])
    assert await database.fetchval("SELECT count(*) FROM parked") == len(damaged)
    await checkpoints.rewind(database, sound[0].topic, sound[0].partition)
    await feed(database, sound)
    assert await whole(database) == await straight(servers, sound)


async def test_what_was_parked_meanwhile_goes_when_checkpoints_step_back(
    servers: Servers, database: asyncpg.Connection
):
    sound, damaged = with_a_damaged_end()
    kept = [*sound, damaged[0]]
    await feed(database, kept)
    earlier = await checkpoints.load(database)
    await feed(database, damaged[1:])
    passed = json.dumps({sound[0].partition: len(sound) + len(damaged)})
    mark = "INSERT INTO watermark (service, mark, offsets, clock, settled) VALUES ('registry', $1, $2, 'real', $1)"
    await database.execute(mark, START, passed)
    await checkpoints.step_back(database, earlier, {sound[0].partition})
    assert await whole(database) == await straight(servers, kept)
    assert await database.fetchval("SELECT mark FROM watermark_settled") is None  # what held answers up comes again
    await feed(database, damaged[1:])
    assert await database.fetchval("SELECT mark FROM watermark_settled") == START
    assert await whole(database) == await straight(servers, [*kept, *damaged[1:]])
