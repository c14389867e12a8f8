"""The engine on a real PostgreSQL: whatever the order, the batches and the repeats, the tables come out the same."""

from collections.abc import AsyncIterator

import asyncpg
import pytest
import pytest_asyncio

from services.projections import engine
from services.projections.checkpoint import LogRewritten, LostRecords, Slice
from shared.events.codes import Dimension
from tests.support.log import (
    Log,
    assessed,
    assigned,
    delivered,
    enrolled,
    helper,
    household,
    registered,
)
from tests.support.projections import feed, slices, state, tables
from tests.support.servers import Servers


@pytest_asyncio.fixture
async def database(servers: Servers) -> AsyncIterator[asyncpg.Connection]:
    async with tables(servers.admin_dsn) as connection:
        yield connection


def story(n: int = 1) -> Log:
    log, key, by = Log(), household(n), helper(n)
    log.add(f"household-{key}", registered(key))
    log.add(f"helper-{by}", enrolled(by))
    log.add(f"pairing-{key}", assigned(key, by))
    log.add(f"household-{key}", assessed(key, health=True, living=True))
    log.add(f"case-{key}", delivered(key, n, Dimension.LIVING))
    return log


async def test_a_household_becomes_figures(database: asyncpg.Connection):
    log = story()
    assert sum(settled.folded for settled in await feed(database, log.records)) == 5
    rows = await database.fetch("SELECT dimension, measure, n FROM coverage_rollup ORDER BY 1, 2")
    assert [tuple(row) for row in rows] == [
        ("health", "need", 1),
        ("health", "unreached", 1),
        ("living", "need", 1),
        ("living", "reached", 1),
    ]
    assert await database.fetchval("SELECT lead FROM households_rollup") == "paired"
    assert await database.fetchval("SELECT n FROM caseload_rollup WHERE district = '4019'") == 1


async def test_the_same_again_changes_nothing(database: asyncpg.Connection):
    log = story()
    await feed(database, log.records)
    before = await state(database)
    await feed(database, log.records)
    for record in list(log.records):
        log.put(record)
    again = await feed(database, log.records[5:])
    assert (sum(s.folded for s in again), sum(s.repeated for s in again)) == (0, 5)
    assert await state(database) == before
