"""Merged households on a real PostgreSQL: any order, any batches, and two workers at once in every order of steps."""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack
from itertools import chain, combinations
from typing import Any

import asyncpg
import pytest
import pytest_asyncio
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.projections import engine
from services.projections.decode import partition_of, read
from services.projections.facts import Arrived
from services.projections.made_by import OtherVersion
from services.projections.models import MODELS
from services.projections.sql import QUERIES
from tests.support.histories import KEYS, arrivals, neighbourhoods
from tests.support.log import Log, Record, assessed, assigned, delivered, helper, registered
from tests.support.mended import entry_voided, merged, relocated, unmerged
from tests.support.projections import assert_rolled_up, feed, feed_at_once, slices, state, tables
from tests.support.servers import Servers
from tests.support.world import one_group

A, B, C = KEYS[:3]
TABLES = "fact, stream_head, card, checkpoint, freshness, " + ", ".join(
    f"{model.name}_{kind}" for model in MODELS for kind in ("ledger", "rollup")
)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def database(servers: Servers) -> AsyncIterator[asyncpg.Connection]:
    async with tables(servers.admin_dsn) as connection:
        yield connection


async def ledgers(database: asyncpg.Connection) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for model in MODELS:
        names = ", ".join(model.columns)
        rows = await database.fetch(
            f"""SELECT key, stream, version, partition, sum(delta)::int, valid_on, {names} FROM {model.changes}
                GROUP BY key, stream, version, partition, valid_on, {names}"""
        )
        found[model.name] = defaultdict(lambda: defaultdict(dict))
        for key, stream, version, partition, delta, *row in rows:
            assert partition == partition_of(key)
            found[model.name][key][stream, version][tuple(row)] = delta
    return found


@settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))
@given(neighbourhoods(), st.data())
async def test_the_tables_are_the_fold_of_the_set(database: asyncpg.Connection, log: Log, data: st.DataObject):
    await database.execute(f"TRUNCATE {TABLES}")
    arrived = Log()
    for batch in data.draw(arrivals(log.records)):
        fed = feed_at_once if data.draw(st.booleans()) else feed
        await fed(database, [arrived.put(record) for record in batch])
    facts = [found.fact for record in log.records if isinstance(found := read(record), Arrived)]
    assert await ledgers(database) == one_group(facts)
    await assert_rolled_up(database)


async def test_the_number_of_queries_does_not_grow_with_the_groups(database: asyncpg.Connection):
    asked: list[str] = []
    counts = []
    near = [f"hh_{n:020}" for n in range(4000) if partition_of(f"hh_{n:020}") == 3]
    for pairs in 1, 60:
        await database.execute(f"TRUNCATE {TABLES}")
        log = Log()
        for key in near[: 2 * pairs]:
            log.add(f"household-{key}", registered(key))
        for key, into in zip(near[:pairs], near[pairs:], strict=False):
            for of, end in zip((key, into), merged(key, into), strict=True):
                log.add(f"household-{of}", end)
        with database.query_logger(lambda query: asked.append(query.query)):
            await feed(database, log.records)
        counts.append(len(asked))
        asked.clear()
    assert counts[1] <= counts[0] + 4


async def test_cards_of_another_version_are_not_folded_on(database: asyncpg.Connection):
    await database.execute(f"TRUNCATE {TABLES}")
    log = Log()
    await feed(database, [log.add(f"household-{A}", registered(A))])
    await database.execute("UPDATE card SET state = state #- '{homes,0,version}'")
    with pytest.raises(OtherVersion, match="siao rebuild"):
        await feed(database, [log.add(f"household-{A}", relocated(A))])


# -- two workers at once -------------------------------------------------------------------------------------------


class Stepped:
    """A connection that waits for its turn before certain queries, and once it has written."""

    GATES = frozenset(QUERIES[name] for name in ("linked", "lock_linked"))

    def __init__(self, connection: asyncpg.Connection) -> None:
        self.connection = connection
        self.pid = connection.get_server_pid()
        self.go, self.stands = asyncio.Semaphore(0), asyncio.Event()

    def __getattr__(self, name: str) -> Any:
        return getattr(self.connection, name)

    async def fetch(self, query: str, *arguments: object) -> Any:
        await self._gate(query)
        return await self.connection.fetch(query, *arguments)

    async def execute(self, query: str, *arguments: object) -> Any:
        await self._gate(query)
        return await self.connection.execute(query, *arguments)

    async def fetchval(self, query: str, *arguments: object) -> Any:
        """All of a transaction's writes are asked for so."""
        answer = await self.connection.fetchval(query, *arguments)
        await self._wait()
        return answer

    async def _gate(self, query: str) -> None:
        if query in self.GATES:
            await self._wait()

    async def _wait(self) -> None:
        self.stands.set()
        await self.go.acquire()
        self.stands.clear()


STEPS = 4
"""Up to each gate, and to the end."""


async def run(database: asyncpg.Connection, two: Sequence[Stepped], some: Sequence[list[Record]], order: Sequence[int]):
    """Both batches as transactions, a step of one or the other at a time, as `order` says; then to their ends."""

    async def work(stepped: Stepped, records: list[Record]) -> None:
        await stepped.go.acquire()
        [(number, pieces)] = slices(records).items()
        await engine.settle(stepped, {number: pieces})  # type: ignore[arg-type]

    tasks = [asyncio.create_task(work(*one)) for one in zip(two, some, strict=True)]
    for one in order:
        two[one].stands.clear()
        two[one].go.release()
        await _stands(database, two[one], tasks[one])
    for one in two:
        for _ in range(20):
            one.go.release()
    await asyncio.gather(*tasks)


async def _stands(database: asyncpg.Connection, stepped: Stepped, task: asyncio.Task[None]) -> None:
    """Returns when it is at a gate, at its end, or waits in PostgreSQL for the other one."""
    while not (stepped.stands.is_set() or task.done()):
        if await database.fetchval("SELECT cardinality(pg_blocking_pids($1)) > 0", stepped.pid):
            return
        await asyncio.sleep(0)


def story(log: Log) -> None:
    for n, key in enumerate(KEYS):
        log.add(f"household-{key}", registered(key, f"401902{n:02}" if n else "40190101"))
        log.add(f"household-{key}", assessed(key, health=True, living=True))
        log.add(f"pairing-{key}", assigned(key, helper(n)))
    log.add(f"case-{A}", delivered(A, 1))


def join(log: Log, key: str, into: str, make: Callable[..., Any] = merged) -> dict[str, Record]:
    ends = zip((key, into), make(key, into), strict=True)
    return {of: log.add(f"household-{of}", end) for of, end in ends}


def both_ends(log: Log) -> tuple[list[Record], list[Record]]:
    ends = join(log, A, B)
    return [ends[A]], [ends[B]]


def later_facts_of_both(log: Log) -> tuple[list[Record], list[Record]]:
    join(log, A, B)
    return [log.add(f"case-{A}", delivered(A, 2))], [log.add(f"household-{B}", relocated(B))]


def a_late_fact_and_a_parting(log: Log) -> tuple[list[Record], list[Record]]:
    join(log, A, B)
    early = log.add(f"case-{A}", delivered(A, 3), recorded_at=read(log.records[1]).fact.order[0])
    log.records.remove(early)
    ends = join(log, A, B, unmerged)
    return [early, ends[A]], [ends[B]]


def a_group_that_grows(log: Log) -> tuple[list[Record], list[Record]]:
    join(log, A, B)
    ends = join(log, B, C)
    return [log.add(f"case-{A}", delivered(A, 4))], [ends[B], log.add(f"case-{B}", delivered(B, 5))]


def a_circle(log: Log) -> tuple[list[Record], list[Record]]:
    join(log, A, B)
    join(log, B, C)
    ends = join(log, C, A)
    return [ends[C], log.add(f"household-{C}", entry_voided(C, 1))], [ends[A]]


Scene = Callable[[Log], tuple[list[Record], list[Record]]]
ORDERS = [tuple(int(n in ones) for n in range(2 * STEPS)) for ones in combinations(range(2 * STEPS), STEPS)]


@pytest.mark.parametrize(
    "scene", [both_ends, later_facts_of_both, a_late_fact_and_a_parting, a_group_that_grows, a_circle]
)
async def test_two_workers_in_every_order_of_their_steps(servers: Servers, database: asyncpg.Connection, scene: Scene):
    log = Log()
    story(log)
    some = scene(log)
    before = [record for record in log.records if record not in chain(*some)]
    await database.execute(f"TRUNCATE {TABLES}")
    await feed(database, [*before, *chain(*some)])
    expected = await state(database)
    schema = await database.fetchval("SELECT current_schema()")
    deadlocks = "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"
    at_first = await database.fetchval(deadlocks)
    async with AsyncExitStack() as stack:
        two = []
        for _ in range(2):
            one = await asyncpg.connect(servers.admin_dsn, server_settings={"search_path": schema})
            stack.push_async_callback(one.close)
            two.append(one)
        for order in ORDERS:
            await database.execute(f"TRUNCATE {TABLES}")
            await feed(database, before)
            await asyncio.wait_for(run(database, [Stepped(one) for one in two], some, order), 30)
            assert await state(database) == expected, order
    await assert_rolled_up(database)
    assert await database.fetchval(deadlocks) == at_first
