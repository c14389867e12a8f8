"""Row 6: the relay brings a full outbox to Kafka; nothing may be missing."""

import asyncio
import time

import asyncpg

from shared.runtime import ids
from tests.benchmarks import costs
from tests.benchmarks.bench import SECONDS, Bench, Broke
from tests.benchmarks.report import CPU_RATE, RATE, Row, Variant, Wanted
from tests.support.appending import append
from tests.support.processes import Process
from tests.support.servers import free_port
from tests.support.topic import assert_published

SIAO, OWN_RATE = "Siao's relay", "events/CPU-s of the relay"
EVENTS, AT_ONCE, STREAMS = 60_000, 500, 3_000
PUBLISHED = 'SELECT coalesce(sum("offset" + 1), 0) FROM registry.relay_position'

WAITING = "SELECT count(*) FROM registry.outbox"


async def run(bench: Bench) -> Row:
    row = Row(
        f"relay: {EVENTS:,} events from the outbox to Kafka",
        wanted=[
            Wanted(OWN_RATE, SIAO, at_least=25_000, aim=40_000),
            Wanted("events lost", SIAO, at_most=0),
        ],
        notes=[f"{RATE} and {CPU_RATE} count PostgreSQL's CPU too; the relay's own alone is judged."],
    )
    siao = row.variant(SIAO, "at least once, in each stream's order, idempotent producer, acks=all, lz4")
    connection = await asyncpg.connect(bench.servers.dsn("registry"))
    try:
        for _ in range(bench.rounds):
            await _fill(connection)
            await _drain(bench, siao, connection)
            siao.note({"events lost": await _lost(bench)})
    except Broke as why:
        siao.failed = str(why)
    finally:
        await connection.close()
    return row


async def _fill(connection: asyncpg.Connection) -> None:
    households = [ids.new_id("hh") for _ in range(STREAMS)]
    for first in range(0, EVENTS, AT_ONCE):
        some = [households[(first + n) % STREAMS] for n in range(AT_ONCE)]
        async with connection.transaction():
            await append(connection, some)


async def _drain(bench: Bench, variant: Variant, connection: asyncpg.Connection) -> None:
    """From the first acknowledgement to the last."""
    before, waiting = int(await connection.fetchval(PUBLISHED)), await connection.fetchval(WAITING)
    settings = bench.servers.settings("registry", http_port=free_port())
    relay = Process("registry", "relay", settings, bench.servers.home.log("registry-relay"))
    deadline = time.monotonic() + SECONDS
    relay.spawn()
    try:
        pids = [relay.pid or 0]
        while (first := int(await connection.fetchval(PUBLISHED))) == before:
            await _pause(relay, deadline)
        began = costs.read(pids, bench.postgres)
        while (now := int(await connection.fetchval(PUBLISHED))) < before + waiting:
            await _pause(relay, deadline)
        spent = costs.read(pids, bench.postgres) - began
        variant.note(costs.figures(now - first, spent) | {OWN_RATE: (now - first) / spent.cpu})
    finally:
        await relay.end()


async def _pause(relay: Process, deadline: float) -> None:
    if relay.exit_code is not None or time.monotonic() > deadline:
        raise Broke("the relay ended, or took too long")
    await asyncio.sleep(0.02)


async def _lost(bench: Bench) -> int:
    """Reads the whole topic: every stored event with its hash, each stream in its order."""
    try:
        await assert_published(bench.servers)
    except AssertionError as missing:
        raise Broke(str(missing)) from None
    return 0
