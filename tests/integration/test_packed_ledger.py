"""A database with the ledger of coverage in its older shape: its rows are packed, and what was made by it goes on."""

import secrets
from collections.abc import AsyncIterator

import asyncpg
import pytest_asyncio

from services.projections import made_by
from tests.support.projections import MIGRATIONS, crowd, feed_at_once, tables
from tests.support.servers import Servers

PACKED = "0010_packed_ledger.sql"
LEDGER = "SELECT * FROM coverage_ledger ORDER BY key, recorded_at, stream, version, valid_on, village, moves"
CHANGES = """
    SELECT key, recorded_at, stream, version, event_id, partition, valid_on,
           definition, village, cohort, household_class, dimension, measure, sum(delta) AS delta
    FROM coverage_changes GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13"""


@pytest_asyncio.fixture
async def filled(servers: Servers) -> AsyncIterator[asyncpg.Connection]:
    async with tables(servers.admin_dsn) as connection:
        await feed_at_once(connection, crowd(60, seed=4).records)
        yield connection


async def test_a_ledger_in_rows_is_packed_and_goes_on(filled: asyncpg.Connection):
    packed, newer = await filled.fetch(LEDGER), await filled.fetchval("SELECT current_schema()")
    note = "read model coverage of definition, village, cohort, household_class, dimension, measure"
    older = f"older_{secrets.token_hex(4)}"
    await filled.execute(f"CREATE SCHEMA {older}; SET search_path = {older}")
    try:
        for file in sorted(MIGRATIONS.glob("*.sql")):
            if file.name < PACKED:
                await filled.execute(file.read_text(encoding="utf-8"))
        named = "key, recorded_at, stream, version, event_id, partition, valid_on, definition, village, cohort, "
        named += "household_class, dimension, measure, delta"
        rows = CHANGES.replace("coverage_changes", f"{newer}.coverage_changes")
        await filled.execute(f"INSERT INTO coverage_ledger ({named}) {rows}")
        noted = [what for what in made_by.MADE_BY if not what.startswith((note, "card"))]
        await filled.execute("INSERT INTO made_by SELECT unnest($1::text[])", [*noted, note])
        assert await made_by.other(filled, older)
        for file in sorted(MIGRATIONS.glob("*.sql")):
            if file.name >= PACKED:
                await filled.execute(file.read_text(encoding="utf-8"))
        assert len(packed) > 100
        assert await filled.fetch(LEDGER) == packed
        assert not await made_by.other(filled, older)
    finally:
        await filled.execute(f"SET search_path = {newer}; DROP SCHEMA {older} CASCADE")
