"""A broker dies and has lost the end of its log: every event is there again, for every reader, wherever it stood."""

import asyncio
import os
import random
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from datetime import datetime

import asyncpg
import pytest
import pytest_asyncio

from shared.events.topics import EVENT_TOPICS
from tests.support.appending import append_many
from tests.support.damage import lose_tail
from tests.support.processes import Process, running
from tests.support.servers import Servers, free_port
from tests.support.topic import Entry, entries, progress

TOPIC = EVENT_TOPICS["registry"].name
SEED = os.environ.get("SIAO_TEST_SEED", "2563")


@pytest_asyncio.fixture
async def pool(servers: Servers) -> AsyncIterator[asyncpg.Pool]:
    async with asyncpg.create_pool(servers.dsn("registry"), min_size=4, max_size=16) as made:
        yield made


def relay(servers: Servers, **environment: str) -> Process:
    settings = servers.settings("registry", http_port=free_port(), poke=f"127.0.0.1:{free_port()}")
    return Process("registry", "relay", settings, servers.home.log("relay-lost-tail"), **environment)


async def drained(pool: asyncpg.Pool) -> None:
    async with asyncio.timeout(120):
        while await pool.fetchval("SELECT count(*) FROM outbox"):
            await asyncio.sleep(0.1)


def by_partition(log: Iterable[Entry]) -> dict[int, list[Entry]]:
    found: dict[int, list[Entry]] = defaultdict(list)
    for entry in log:
        found[entry.partition].append(entry)
    return found


def taken(read: Iterable[Entry]) -> set[tuple[str, int]]:
    """What a reader has that takes each stream's versions in order and passes over what is behind a gap."""
    reached: dict[str, int] = defaultdict(int)
    for entry in read:
        if entry.version == reached[entry.stream] + 1:
            reached[entry.stream] += 1
    return {(stream, n) for stream, version in reached.items() for n in range(1, version + 1)}


async def assert_every_reader_gets_all(
    servers: Servers, pool: asyncpg.Pool, before: Sequence[Entry], draw: random.Random
) -> None:
    stored: dict[int, set[tuple[str, int]]] = defaultdict(set)
    for row in await pool.fetch("SELECT stream, version, partition FROM event"):
        stored[row["partition"]].add((row["stream"], row["version"]))
    old, new = by_partition(before), by_partition(await entries(servers))
    for partition, events in stored.items():
        was, now = old[partition], new[partition]
        for stood in {0, len(was), *(draw.randint(0, len(was)) for _ in range(20))}:
            assert taken(was[:stood] + now[stood:]) == events, f"a reader at {partition}:{stood}"


async def eventually(check: Callable[[], Awaitable[None]], seconds: float = 60) -> None:
    """The loss may be seen only at the next comparison, some seconds later."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            return await check()
        except AssertionError:
            if time.monotonic() > deadline:
                raise
        await asyncio.sleep(1)


async def assert_marks_hold(servers: Servers, pool: asyncpg.Pool, told_before: int) -> None:
    """Also those that were told before the loss."""
    place: dict[tuple[str, int], Entry] = {}
    for entry in await entries(servers):
        place.setdefault((entry.stream, entry.version), entry)
    stored = await pool.fetch("SELECT stream, version, recorded_at FROM event")
    for message in (await progress(servers))[max(0, told_before - 3) :]:
        mark = datetime.fromisoformat(message["mark"])
        for row in stored:
            entry = place[row["stream"], row["version"]]
            assert row["recorded_at"] >= mark or entry.offset < message["offsets"][str(entry.partition)]


@pytest.mark.parametrize("last_act", ["all is noted", "a round is not noted", "a round came several times"])
async def test_lost_while_no_relay_ran(servers: Servers, pool: asyncpg.Pool, last_act: str) -> None:
    draw = random.Random(f"{SEED} {last_act}")
    async with running(relay(servers)):
        await append_many(pool, 500)
        await drained(pool)
        await asyncio.sleep(2)
    if last_act != "all is noted":
        await append_many(pool, 500, seed=1)
        await dies_before_delete(servers)
    if last_act == "a round came several times":
        await dies_before_delete(servers)
        async with running(relay(servers)):
            await drained(pool)
    before, told = await entries(servers), len(await progress(servers))
    await lose_tail(servers, TOPIC, draw)
    assert len(await entries(servers)) < len(before)
    await append_many(pool, 250, seed=2)
    async with running(relay(servers)):
        await drained(pool)
        await asyncio.sleep(2)
    await assert_every_reader_gets_all(servers, pool, before, draw)
    await assert_marks_hold(servers, pool, told)


async def dies_before_delete(servers: Servers) -> None:
    """A round is in the log, and the relay did not live to note it."""
    process = relay(servers, SIAO_FAILPOINTS="1:relay.before_delete=1")
    process.spawn()
    await process.exited()


async def test_lost_under_a_running_relay(servers: Servers, pool: asyncpg.Pool) -> None:
    draw, process = random.Random(f"{SEED} up"), relay(servers)
    async with running(process):
        await append_many(pool, 1_000)
        await drained(pool)
        before = await entries(servers)
        appending = asyncio.create_task(append_many(pool, 1_000, seed=1))
        await asyncio.sleep(draw.choice((0, 0.3)))
        await lose_tail(servers, TOPIC, draw)
        await appending
        await drained(pool)
        await eventually(lambda: assert_every_reader_gets_all(servers, pool, before, draw))
        assert process.exit_code is None, "it goes on by itself"


async def test_killed_while_restoring(servers: Servers, pool: asyncpg.Pool) -> None:
    draw = random.Random(f"{SEED} restoring")
    async with running(relay(servers)):
        await append_many(pool, 1_000)
        await drained(pool)
    before = await entries(servers)
    deaths = 0
    for seed in range(4):
        if seed in (0, 2):
            await lose_tail(servers, TOPIC, draw)
        await append_many(pool, 50, seed=seed)
        process = relay(servers, SIAO_FAILPOINTS=f"{SEED}{seed}:relay.restoring=0.2")
        process.spawn()
        while process.exit_code is None and await pool.fetchval("SELECT count(*) FROM outbox"):
            await asyncio.sleep(0.05)
        deaths += process.exit_code is not None
        await process.end()
    assert deaths
    async with running(relay(servers)):
        await drained(pool)
        await asyncio.sleep(2)
    await assert_every_reader_gets_all(servers, pool, before, draw)
