"""The worker as a process, on a real Kafka and a real PostgreSQL."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from secrets import token_hex

import asyncpg
import httpx
import pytest_asyncio
from aiokafka import AIOKafkaProducer

from shared.events.codes import Dimension
from tests.support import projections
from tests.support.log import Log, assessed, assigned, delivered, enrolled, helper, household, registered
from tests.support.processes import Process
from tests.support.servers import Servers


@pytest_asyncio.fixture
async def producer(servers: Servers) -> AsyncIterator[AIOKafkaProducer]:
    producer = AIOKafkaProducer(**servers.kafka_login("admin"))
    await producer.start()
    yield producer
    await producer.stop()


@pytest_asyncio.fixture
async def worker(servers: Servers) -> AsyncIterator[Process]:
    process = projections.worker(servers)
    await process.start()
    yield process
    await process.end()


async def eventually(check: Callable[[], Awaitable[bool]], seconds: float = 20) -> None:
    until = time.monotonic() + seconds
    while not await check():
        assert time.monotonic() < until
        await asyncio.sleep(0.05)


async def test_what_is_published_becomes_a_figure(servers: Servers, producer: AIOKafkaProducer, worker: Process):
    name = token_hex(10)
    log, key, by = Log(), household(name), helper(name)
    log.add(f"household-{key}", registered(key))
    log.add(f"helper-{by}", enrolled(by))
    log.add(f"pairing-{key}", assigned(key, by))
    log.add(f"household-{key}", assessed(key, health=True))
    log.add(f"case-{key}", delivered(key, name, Dimension.HEALTH))
    await projections.publish(producer, log.records)
    gateway = await asyncpg.connect(servers.dsn("gateway"))

    async def folded() -> bool:
        rows = await gateway.fetch(
            "SELECT measure FROM coverage_ledger WHERE key = $1 GROUP BY 1 HAVING sum(delta) > 0", key
        )
        return {row["measure"] for row in rows} == {"need", "reached"}

    await eventually(folded)
    assert await gateway.fetchval("SELECT sum(n) FROM caseload_rollup WHERE helper = $1", by) == 1
    await gateway.close()
    async with httpx.AsyncClient() as client:
        metrics = (await client.get(f"{worker.url}/metrics")).text
    assert "siao_projections_events_folded_total 5.0" in metrics
