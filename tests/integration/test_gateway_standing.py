"""An answer is final only while nothing that was recorded before it can still be counted."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta

import asyncpg
import pytest
import pytest_asyncio

from services.gateway.asof import Asked
from services.gateway.queries import sql, standing
from shared.events.codes import HouseholdClass
from tests.support import gateway as g
from tests.support.log import START, Log, Record, classified, household, registered, sealed, told
from tests.support.projections import feed
from tests.support.seeded import poison

KEY = household(1)
NAME = f"household-{KEY}"
DAY = timedelta(days=1)


def chain() -> list[Record]:
    """Four records of a stream, a day apart."""
    log = Log()
    events = [registered(KEY), *(classified(KEY, HouseholdClass.WELFARE) for _ in range(3))]
    return [log.add(NAME, event, recorded_at=START + n * DAY) for n, event in enumerate(events)]


ONE, TWO, THREE, FOUR = chain()
BESIDE = sealed(NAME, 2, told(ONE)["ce_hash"], classified(KEY, HouseholdClass.DEVELOPABLE), START + DAY)
AFTER = sealed(NAME, 3, told(BESIDE)["ce_hash"], classified(KEY, HouseholdClass.DEVELOPABLE), START + 2 * DAY)
LATER = sealed(NAME, 4, told(AFTER)["ce_hash"], classified(KEY, HouseholdClass.DEVELOPABLE), START + 3 * DAY)
TO_COME = poison.KINDS["a version to come of its type"]
UNHASHED = poison.KINDS["no hash"]


@pytest_asyncio.fixture
async def read(servers) -> AsyncIterator[tuple[g.Tables, asyncpg.Connection]]:
    async with g.tables(servers) as (tables, dsn):
        gateway = await asyncpg.connect(dsn)
        await tables.mark()
        yield tables, gateway
        await gateway.close()


async def final_days(gateway: asyncpg.Connection) -> list[int]:
    """As known at the end of which days after START an answer is final."""
    ends = {n: START + n * DAY + DAY / 2 for n in range(-1, 5)}
    return [n for n, end in ends.items() if not (await standing.read(gateway, Asked(known_at=end))).provisional]


ALL = [-1, 0, 1, 2, 3, 4]
CASES = {
    "nothing": ([ONE, TWO, THREE], ALL),
    "a gap": ([ONE, TWO, FOUR], [-1, 0]),
    "a gap from the beginning on": ([TWO], []),
    "unreadable to this version": ([ONE, TWO, TO_COME(THREE)], [-1, 0]),
    "what follows it": ([ONE, TWO, TO_COME(THREE), FOUR], [-1, 0]),
    "its first": ([TO_COME(ONE), TWO], []),
    "a damaged copy": ([ONE, UNHASHED(TWO)], [-1]),
    "a damaged copy of what is folded": ([ONE, TWO, UNHASHED(TWO)], ALL),
    "a fork": ([ONE, TWO, BESIDE], ALL),
    "what follows a fork": ([ONE, TWO, BESIDE, AFTER, LATER], ALL),
}


@pytest.mark.parametrize(("records", "days"), CASES.values(), ids=CASES.keys())
async def test_an_answer_is_provisional_from_the_oldest_that_may_yet_be_counted(read, records, days):
    tables, gateway = read
    await feed(tables.connection, [replace(record, offset=n) for n, record in enumerate(records)])
    assert await final_days(gateway) == days


async def test_a_gap_that_is_filled_changes_no_final_answer(read):
    tables, gateway = read
    await feed(tables.connection, [replace(record, offset=n) for n, record in enumerate([ONE, TWO, FOUR])])
    assert await final_days(gateway) == [-1, 0]
    await feed(tables.connection, [replace(THREE, offset=3)])
    assert await final_days(gateway) == ALL


async def test_nothing_is_looked_through_while_nothing_is_parked(read):
    tables, gateway = read
    await tables.connection.execute(
        """INSERT INTO stream_head (stream, key, partition, version, hash, state)
           SELECT 'case-' || n, 'hh_' || n, 0, 1, '', 'ok' FROM generate_series(1, 20000) AS n"""
    )
    await tables.connection.execute(
        """INSERT INTO fact SELECT key, now(), stream, 1, gen_random_uuid(), '', now(), '', '', '', 0, 0, '', ''
           FROM stream_head"""
    )
    await tables.connection.execute("ANALYZE")
    plan = "\n".join(row[0] for row in await gateway.fetch(f"EXPLAIN {sql('standing')}"))
    assert "stream_head_parked" in plan
    assert "Seq Scan on stream_head" not in plan
    assert "Seq Scan on fact" not in plan
