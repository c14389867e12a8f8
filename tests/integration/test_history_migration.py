"""A database with the history in its older shape: what was final is told the same before, right after, and later."""

from collections.abc import AsyncIterator
from datetime import date, datetime, timedelta
from uuid import uuid4

import asyncpg
import pytest_asyncio

from services.gateway.queries import sql
from services.projections import history
from shared.events.catalog import SERVICES
from tests.support.projections import MIGRATIONS
from tests.support.servers import Servers

START, DAY = datetime.fromisoformat("2019-10-01T00:00:00+00:00"), date(2019, 10, 1)
NEW = "0009_history_steps.sql"


@pytest_asyncio.fixture
async def older(servers: Servers) -> AsyncIterator[asyncpg.Connection]:
    """Its schema is as it was before that migration."""
    connection = await asyncpg.connect(servers.admin_dsn)
    await connection.execute("CREATE SCHEMA older; SET search_path = older")
    for file in sorted(MIGRATIONS.glob("*.sql")):
        if file.name < NEW:
            await connection.execute(file.read_text())
    yield connection
    await connection.close()


async def test_the_history_is_made_anew_from_the_ledger(older: asyncpg.Connection) -> None:
    for n in range(40):
        await older.execute(
            """INSERT INTO coverage_ledger VALUES
               ('hh_1', $1, 's', $2, $3, 0, $4, 'coverage-1', '40190101', 'bmn-2561', '', 'health', 'need', 1)""",
            START + timedelta(hours=n),
            n,
            uuid4(),
            DAY + timedelta(n % 9),
        )
    for service in SERVICES:
        await older.execute(
            "INSERT INTO watermark (service, mark, offsets, clock) VALUES ($1, $2, '{}', 'real')",
            service,
            START + timedelta(hours=40),
        )
    await older.execute(
        """INSERT INTO coverage_block (level, since, until) VALUES (0, '1800-01-01 00:00Z', $1)""",
        START + timedelta(hours=20),
    )
    await older.execute("INSERT INTO coverage_history VALUES (1, 1, $1, 20, 0, 0, 0, 0)", DAY)
    await older.execute((MIGRATIONS / NEW).read_text())
    asked = ("coverage-1", 4, "40", None, None, None, DAY + timedelta(4), START + timedelta(hours=30))
    plain = [("4019", "health", sum(n % 9 <= 4 for n in range(31)), 0, 0, 0, 0)]
    assert [tuple(row) for row in await older.fetch(sql("coverage_as_of"), *asked)] == plain
    while await history.compact(older, 4):
        pass
    assert await older.fetchval("SELECT max(level) FROM coverage_block") == 1
    assert [tuple(row) for row in await older.fetch(sql("coverage_as_of"), *asked)] == plain
