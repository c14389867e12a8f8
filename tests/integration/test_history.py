"""The history of coverage against a plain sum of the ledger: the same figures for any two days, and bounded work."""

import asyncio
import json
import random
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import AsyncExitStack
from datetime import date, datetime, timedelta
from itertools import pairwise
from typing import Any
from uuid import uuid4

import asyncpg
import pytest
import pytest_asyncio
from hypothesis import given, settings
from hypothesis import strategies as st

from services.gateway.queries import sql
from services.projections import history
from services.projections.coverage import MEASURES, NUMBERS
from services.projections.sql import run
from shared.definitions import DEFAULT
from shared.events.catalog import SERVICES
from tests.support.projections import tables
from tests.support.servers import Servers

START = datetime.fromisoformat("2019-10-01T00:00:00+00:00")
FIRST_DAY = date(2019, 9, 1)
Rows = list[tuple[Any, ...]]
VILLAGES = ("40190101", "40190102", "40190201", "40010101")
PLACES = ("40", "4019", "401901", "4001")


@pytest_asyncio.fixture
async def database(servers: Servers) -> AsyncIterator[asyncpg.Connection]:
    async with tables(servers.admin_dsn) as connection:
        yield connection


async def settle(connection: asyncpg.Connection, mark: datetime) -> None:
    for service in SERVICES:
        await connection.execute(
            """INSERT INTO watermark (service, mark, offsets, clock) VALUES ($1, $2, '{}', 'real')
               ON CONFLICT (service) DO UPDATE SET mark = excluded.mark""",
            service,
            mark,
        )


async def write(connection: asyncpg.Connection, rows: Sequence[tuple[Any, ...]]) -> None:
    """(seconds, days, village, cohort, class, dimension, measure, delta)"""
    await connection.executemany(
        "INSERT INTO coverage_ledger VALUES ('hh_1', $1, 's', $2, $3, 0, $4, $5, $6, $7, $8)",
        [
            (START + timedelta(seconds=s), n, uuid4(), FIRST_DAY + timedelta(d), *where, [by * NUMBERS[DEFAULT, *of]])
            for n, (s, d, *row, by) in enumerate(rows)
            for where, of in [(row[:3], row[3:])]
        ],
    )
    await connection.executemany(
        """INSERT INTO households_ledger
           VALUES ('hh_1', $1, 's', 1, $2, 0, '2019-09-01', $3, '', '', 'unpaired', 1)""",
        [(START, uuid4(), village) for village in VILLAGES],
    )


async def another(connection: asyncpg.Connection, dsn: str) -> asyncpg.Connection:
    """A second connection to the same tables."""
    schema = await connection.fetchval("SELECT current_schema()")
    return await asyncpg.connect(dsn, server_settings={"search_path": schema})


async def everything(connection: asyncpg.Connection, leaf: int) -> int:
    steps = 0
    while await history.compact(connection, leaf):
        steps += 1
    return steps


async def forget(connection: asyncpg.Connection, least: datetime) -> None:
    """As the engine does, which asks while it writes."""
    if await run(connection, history.reaches(least)):
        await history.forget(connection, least)


ledger_rows = st.tuples(
    st.integers(0, 400),
    st.integers(0, 40),
    st.sampled_from(VILLAGES),
    st.sampled_from(("bmn-2561", "")),
    st.sampled_from(("", "welfare")),
    st.sampled_from(("health", "living")),
    st.sampled_from(MEASURES),
    st.sampled_from((-1, 1)),
)
questions = st.tuples(
    st.sampled_from([(n, place) for n in (2, 4, 6) for place in PLACES if len(place) <= n]),
    st.sampled_from((None, "health")),
    st.sampled_from((None, "bmn-2561")),
    st.sampled_from((None, "welfare")),
    st.integers(-1, 41).map(lambda n: FIRST_DAY + timedelta(n)),
    st.integers(-1, 410).map(lambda n: START + timedelta(seconds=n)),
)
some_rows, few_rows = st.lists(ledger_rows, max_size=45), st.lists(ledger_rows, max_size=10)
some_questions, moments = st.lists(questions, min_size=3, max_size=5), st.integers(0, 410)


async def same(connection: asyncpg.Connection, asked: Sequence[tuple[Any, ...]]) -> None:
    for where, *what in asked:
        told = ("coverage-1", *where, *what)
        plain = await connection.fetch(sql("coverage_ledger"), *told)
        assert await connection.fetch(sql("coverage_as_of"), *told) == plain


def test_any_two_days_give_the_sum_of_the_ledger(servers: Servers, monkeypatch: pytest.MonkeyPatch):
    """Also with new rows behind the edge, after some blocks were forgotten and made again, and in rows of few days."""
    monkeypatch.setattr(history, "DAYS", 3)
    with asyncio.Runner() as runner:
        stack = AsyncExitStack()
        connection = runner.run(stack.enter_async_context(tables(servers.admin_dsn)))

        @settings(max_examples=25, deadline=None)
        @given(st.tuples(some_rows, few_rows, some_questions, moments, moments))
        def check(example: tuple[Rows, Rows, Rows, int, int]) -> None:
            runner.run(_check(connection, example))

        try:
            check()
        finally:
            runner.run(stack.aclose())


async def _check(connection: asyncpg.Connection, example: tuple[Rows, Rows, Rows, int, int]) -> None:
    rows, later, asked, mark, broken = example
    await connection.execute("TRUNCATE coverage_ledger, households_ledger, coverage_block, coverage_history")
    await write(connection, rows)
    await settle(connection, START + timedelta(seconds=mark))
    await everything(connection, 4)
    await same(connection, asked)
    edge = await connection.fetchval("SELECT max(until) FROM coverage_block")
    assert edge is None or edge <= START + timedelta(seconds=mark)
    await write(connection, [(max(mark, s), *rest) for s, *rest in later])
    await same(connection, asked)
    await write(connection, [(max(broken, s), *rest) for s, *rest in later])
    await forget(connection, START + timedelta(seconds=broken))
    await same(connection, asked)
    await settle(connection, START + timedelta(seconds=500))
    await everything(connection, 4)
    await same(connection, asked)


async def test_work_does_not_grow_with_the_history(database: asyncpg.Connection):
    """Rows that PostgreSQL reads for the province on one past day, with 1, 4 and 16 times the history."""
    draw, read, size, done = random.Random(5), {}, 3000, 0
    for times in (1, 4, 16):
        rows = [
            (s, draw.randrange(40 * times), draw.choice(VILLAGES), "bmn-2561", "", "health", draw.choice(MEASURES), 1)
            for s in range(done, size * times)
        ]
        await write(database, rows)
        done = size * times
        await settle(database, START + timedelta(seconds=done + 1))
        await everything(database, LEAF)
        await database.execute("ANALYZE")
        known_at, valid_on = START + timedelta(seconds=done - 300), FIRST_DAY + timedelta(20 * times)
        told = ("coverage-1", 2, "40", None, None, None, valid_on, known_at)
        await same(database, [((2, "40"), *told[3:])])
        if times > 1:  # else the tables are a few pages, and reading all of one is cheaper
            chosen = await _read(database, told)
            assert not [n for n in chosen if n["Node Type"] == "Seq Scan" and n["Relation Name"].endswith(GROWING)]
        await database.execute("SET enable_seqscan = off")  # also of the blocks' own few rows
        nodes = await _read(database, told)
        read[times] = sum(map(_rows, nodes))
        [history_node] = [n for n in nodes if n["Relation Name"] == "coverage_history"]
        levels = 1 + await database.fetchval("SELECT max(level) FROM coverage_block")
        assert history_node["Actual Loops"] <= 1 + levels * (history.FAN - 1), "one row of each block, for the one cell"
        assert _rows(history_node) <= history_node["Actual Loops"]
        assert sum(_rows(n) for n in nodes if n["Relation Name"] == "coverage_ledger") <= LEAF
        await database.execute("RESET enable_seqscan")
    assert read[16] <= 1.5 * read[1]


LEAF = 256
GROWING = ("_ledger", "_history")


async def _read(connection: asyncpg.Connection, told: tuple[Any, ...]) -> list[dict[str, Any]]:
    """The nodes of the plan that read tables."""
    plan = await connection.fetchval("EXPLAIN (ANALYZE, FORMAT JSON) " + sql("coverage_as_of"), *told)
    return [node for node in _nodes(json.loads(plan)[0]["Plan"]) if "Relation Name" in node]


def _rows(node: dict[str, Any]) -> int:
    return round(node["Actual Loops"] * (node["Actual Rows"] + node.get("Rows Removed by Filter", 0)))


def _nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for child in plan.get("Plans", ()):
        yield from _nodes(child)


def _some(seed: int, size: int) -> Rows:
    draw = random.Random(seed)
    return [
        (s, draw.randrange(40), draw.choice(VILLAGES), "bmn-2561", "", "health", draw.choice(MEASURES), 1)
        for s in range(size)
    ]


EVERYWHERE = [
    ((digits, "40"), None, None, None, FIRST_DAY + timedelta(20), START + timedelta(seconds=s))
    for digits in (2, 4, 6)
    for s in (100, 300, 399, 500)
]


async def test_two_that_compact_at_once_do_no_harm(
    database: asyncpg.Connection, servers: Servers, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(history, "CELLS", 3)
    await write(database, _some(1, 400))
    await settle(database, START + timedelta(seconds=400))
    other = await another(database, servers.admin_dsn)
    worked = True
    while worked:
        worked = any(await asyncio.gather(history.compact(database, 7), history.compact(other, 7)))
    await other.close()
    blocks = await database.fetch("SELECT since, until FROM coverage_block WHERE level = 0 ORDER BY since")
    assert len(blocks) == 400 // 7
    assert all(one["until"] == following["since"] for one, following in pairwise(blocks))
    await same(database, EVERYWHERE)


COMPACTOR = """
import asyncio, sys, asyncpg
from services.projections import history

history.CELLS = 3

async def main(dsn, schema):
    connection = await asyncpg.connect(dsn, server_settings={"search_path": schema})
    while await history.compact(connection, 7):
        pass

asyncio.run(main(*sys.argv[1:]))
"""


async def test_killed_at_any_step_it_goes_on_where_it_was(database: asyncpg.Connection, servers: Servers):
    await write(database, _some(2, 400))
    await settle(database, START + timedelta(seconds=400))
    schema, killed, claims = await database.fetchval("SELECT current_schema()"), 0, 0
    for seed in range(6):
        plan = f"{seed}:history.claimed=0.2,history.before_commit=0.2"
        command = [sys.executable, "-c", COMPACTOR, servers.admin_dsn, schema]
        ended = await asyncio.to_thread(subprocess.run, command, env={"SIAO_FAILPOINTS": plan}, check=False)
        killed += ended.returncode == -9
        claims += await database.fetchval("SELECT count(*) FROM coverage_block WHERE claim IS NOT NULL")
        await same(database, EVERYWHERE)
    assert killed == 6
    assert claims > 0, "a claim was left behind at least once"
    await everything(database, 7)
    assert await database.fetchval("SELECT count(*) FROM coverage_block WHERE level = 0 AND claim IS NULL") == 400 // 7
    await same(database, EVERYWHERE)


async def test_what_the_engine_is_writing_below_a_new_edge_is_in_the_block(
    database: asyncpg.Connection, servers: Servers
):
    """A record that was parked is released below the watermark, by a transaction that began before the claim."""
    await write(database, _some(3, 20))
    await settle(database, START + timedelta(seconds=400))
    await database.execute("INSERT INTO checkpoint (partition) VALUES (0), (1)")
    engine = await another(database, servers.admin_dsn)
    async with engine.transaction():
        await engine.execute("SELECT FROM checkpoint WHERE partition = 1 FOR UPDATE")
        await forget(engine, START)
        await write(engine, [(5, 1, VILLAGES[0], "", "", "health", "need", 1)])
        compacting = asyncio.create_task(history.compact(database, 7))
        while not await engine.fetchval("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"):
            assert not compacting.done()
    assert await compacting
    await same(database, EVERYWHERE)
    async with engine.transaction():
        await engine.execute("SELECT FROM checkpoint WHERE partition = 1 FOR UPDATE")
        await forget(engine, START + timedelta(seconds=5))
        await write(engine, [(5, 1, VILLAGES[0], "", "", "health", "need", 1)])
    await engine.close()
    assert not await database.fetchval("SELECT count(*) FROM coverage_block")
    await same(database, EVERYWHERE)
