"""The worker as a process, on a real Kafka and a real PostgreSQL."""

import asyncio
import signal
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from secrets import token_hex

import asyncpg
import httpx
import pytest
import pytest_asyncio
from aiokafka import AIOKafkaProducer

from services.projections.patience import Patient
from shared.events.codes import Dimension
from shared.events.topics import partition_of
from tests.support import projections
from tests.support.log import (
    Log,
    Record,
    assessed,
    assigned,
    delivered,
    enrolled,
    helper,
    household,
    registered,
    resealed,
    told,
)
from tests.support.processes import Process
from tests.support.rebuilding import merging
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
            """SELECT measure FROM coverage_changes WHERE key = $1 AND definition = 'coverage-1'
               GROUP BY 1 HAVING sum(delta) > 0""",
            key,
        )
        return {row["measure"] for row in rows} == {"need", "reached"}

    await eventually(folded)
    assert await gateway.fetchval("SELECT sum(n) FROM caseload_rollup WHERE helper = $1", by) == 1
    await gateway.close()
    async with httpx.AsyncClient() as client:
        metrics = (await client.get(f"{worker.url}/metrics")).text
    assert "siao_projections_events_folded_total 5.0" in metrics


async def test_garbage_in_the_log_stops_nothing(servers: Servers, producer: AIOKafkaProducer, worker: Process):
    key, log = household(token_hex(10)), Log()
    good = log.add(f"household-{key}", registered(key))
    poison = [
        replace(good, value=b"\x00\xff" * 300_000),
        replace(good, headers=[]),
        replace(good, value=None),
        replace(good, key=None),
        resealed(good, b'{"household":' * 50_000),
        replace(good, headers=[("ce_id", b"\x00")] * 500),
    ]
    await projections.publish(producer, [*poison, good])
    gateway = await asyncpg.connect(servers.dsn("gateway"))

    async def folded() -> bool:
        return bool(await gateway.fetchval("SELECT count(*) FROM fact WHERE key = $1", key))

    await eventually(folded)
    partition = partition_of(key)
    count = await gateway.fetchval("SELECT count(*) FROM quarantine WHERE partition = $1", partition)
    assert count >= len(poison)
    assert not await gateway.fetchval("SELECT incomplete FROM card WHERE key = $1", key)
    await gateway.close()
    assert worker.exit_code is None


async def test_who_may_read_what_stood_in_a_broken_record(servers: Servers):
    gateway = await asyncpg.connect(servers.dsn("gateway"))
    await gateway.fetch("SELECT topic, partition, reason, size FROM quarantine")
    for forbidden in "SELECT value FROM quarantine", "SELECT headers FROM parked", "DELETE FROM fact":
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await gateway.fetch(forbidden)
    await gateway.close()
    own = await asyncpg.connect(servers.dsn("projections"))
    for forbidden in "UPDATE fact SET agency = ''", "DELETE FROM fact", "TRUNCATE fact":
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await own.execute(forbidden)
    await own.close()


async def test_it_ends_when_told_to(worker: Process):
    begun = time.monotonic()
    await worker.end(signal.SIGTERM)
    assert worker.exit_code == 0
    assert time.monotonic() - begun < 10


async def test_two_workers_share_the_partitions_and_one_takes_over(servers: Servers, producer: AIOKafkaProducer):
    one, two = projections.worker(servers), projections.worker(servers)
    await one.start()
    await two.start()
    try:
        log = projections.crowd(100, seed=7, name=token_hex(6))
        list(merging(log, token_hex(6), 20))
        half = len(log.records) // 2
        await projections.publish(producer, log.records[:half])
        two.send(signal.SIGSTOP)  # a zombie: its partitions go to the other, and then it comes back
        await projections.publish(producer, log.records[half:])
        await projections.folded(servers, log)
        two.send(signal.SIGCONT)
        await asyncio.sleep(3)
        await projections.assert_as_if_nothing_had_happened(servers, log)
    finally:
        await one.end()
        await two.end()


async def test_a_value_that_cannot_be_sent_is_not_tried_again(servers: Servers):
    database = Patient(servers.settings("projections"))
    with pytest.raises(asyncpg.DataError):
        await database.run(lambda connection: connection.fetchval("SELECT $1::integer", "one"))
    assert database.pool
    await database.pool.close()


async def test_a_checkpoint_behind_the_end_of_the_log_goes_back(servers: Servers, producer: AIOKafkaProducer):
    log = projections.crowd(5, seed=3, name=token_hex(6))
    process = projections.worker(servers)
    await process.start()
    try:
        await projections.publish(producer, log.records[:15])
        await eventually(lambda: folded_all(servers, log.records[:15]))
        await process.end()
        admin = await asyncpg.connect(servers.admin_dsn)
        await admin.execute("UPDATE projections.checkpoint SET registry = registry + 1000")
        await admin.close()
        await process.start()
        await projections.publish(producer, log.records[15:])
        await projections.folded(servers, log)
        await projections.assert_as_if_nothing_had_happened(servers, log)
    finally:
        await process.end()


async def folded_all(servers: Servers, records: list[Record]) -> bool:
    gateway = await asyncpg.connect(servers.dsn("gateway"))
    hashes = [told(record)["ce_hash"] for record in records]
    count = await gateway.fetchval("SELECT count(*) FROM fact WHERE hash = ANY($1)", hashes)
    await gateway.close()
    return bool(count == len(records))
