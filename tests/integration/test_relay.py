"""The relay on the real servers: nothing is lost, nothing overtakes, and the watermark tells the truth."""

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime

import asyncpg
import httpx
import pytest_asyncio

from shared.eventstore import outbox
from shared.runtime import ids
from tests.support.appending import append, append_many
from tests.support.processes import Process, running
from tests.support.servers import Servers, free_port
from tests.support.topic import assert_published, progress

EVENTS = 20_000


@pytest_asyncio.fixture
async def pool(servers: Servers) -> AsyncIterator[asyncpg.Pool]:
    async with asyncpg.create_pool(servers.dsn("registry"), min_size=4, max_size=16) as made:
        yield made


def relay(servers: Servers, name: str = "relay", **environment: str) -> Process:
    settings = servers.settings("registry", http_port=free_port(), poke=f"127.0.0.1:{free_port()}")
    return Process("registry", "relay", settings, servers.home.log(name), **environment)


async def drained(pool: asyncpg.Pool, seconds: float = 60) -> None:
    async with asyncio.timeout(seconds):
        while await pool.fetchval("SELECT count(*) FROM outbox"):
            await asyncio.sleep(0.05)


async def marked(servers: Servers, moment: datetime, seconds: float = 60) -> None:
    """Until the watermark has passed the moment."""
    async with asyncio.timeout(seconds):
        while datetime.fromisoformat((await progress(servers))[-1]["mark"]) <= moment:
            await asyncio.sleep(0.5)


async def state(process: Process) -> str:
    async with httpx.AsyncClient() as client:
        told: str = (await client.get(f"{process.url}/readyz")).json()["state"]
        return told


async def test_concurrent_appenders_lose_no_event_and_the_watermark_never_lies(
    servers: Servers, pool: asyncpg.Pool
) -> None:
    async with running(relay(servers)):
        await append_many(pool, EVENTS)
        await drained(pool)
        await marked(servers, await pool.fetchval("SELECT max(recorded_at) FROM event"))
    log = await assert_published(servers)

    place = {(entry.stream, entry.version): entry for entry in reversed(log)}
    stored = await pool.fetch("SELECT stream, version, recorded_at FROM event")
    told = await progress(servers)
    assert len(told) > 3
    for message in told:
        mark = datetime.fromisoformat(message["mark"])
        before = [place[row["stream"], row["version"]] for row in stored if row["recorded_at"] < mark]
        assert all(entry.offset < message["offsets"][str(entry.partition)] for entry in before)


async def test_an_open_transaction_holds_the_watermark_back_and_nothing_else(
    servers: Servers, pool: asyncpg.Pool
) -> None:
    async with running(relay(servers)), pool.acquire() as slow:
        held = slow.transaction()
        await held.start()
        began = await slow.fetchval("SELECT clock_timestamp()")
        await append(slow, [ids.new_id("hh")])
        async with pool.acquire() as quick, quick.transaction():
            await append(quick, [ids.new_id("hh") for _ in range(50)])
        await drained(pool)
        await assert_published(servers)
        await asyncio.sleep(2.5)
        assert datetime.fromisoformat((await progress(servers))[-1]["mark"]) <= began
        await held.commit()
        await marked(servers, began)
        await assert_published(servers)


async def test_of_two_relays_one_waits_and_takes_over(servers: Servers, pool: asyncpg.Pool) -> None:
    first, second = relay(servers, "relay-1"), relay(servers, "relay-2")
    async with running(first):
        assert await state(first) == "working"
        async with running(second):
            assert await state(second) == "standby"
            await append_many(pool, 500)
            await first.end()
            await append_many(pool, 500, seed=1)
            await drained(pool)
            assert await state(second) == "working"
    await assert_published(servers)


async def test_a_look_at_the_outbox_reads_only_what_waits(pool: asyncpg.Pool, servers: Servers) -> None:
    """Whatever the planner believes of the tables, the log is entered by its key, once a row."""
    admin = await asyncpg.connect(servers.admin_dsn, server_settings={"search_path": "registry"})
    try:
        await append_many(pool, 1_000, at_once=4)
        await admin.execute("ANALYZE event, outbox")
        query = outbox.WAITING.replace("$1", str(outbox.ROUND))
        plan = "\n".join(row[0] for row in await admin.fetch(f"EXPLAIN {query}"))
    finally:
        await admin.close()
    assert "Seq Scan on event" not in plan, plan
    assert "Index Scan using event_pkey on event" in plan, plan
    assert "Merge Join" not in plan, plan
