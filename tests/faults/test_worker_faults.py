"""The worker is killed, its servers are taken away and the log loses its end; the tables come out as if nothing had."""

import asyncio
import os
import random
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from functools import partial
from secrets import token_hex

import pytest
import pytest_asyncio
from aiokafka import AIOKafkaProducer
from confluent_kafka import TopicPartition
from confluent_kafka.admin import AdminClient

from shared.events.topics import EVENT_TOPICS, partition_of
from shared.runtime.worker import EXIT_CODE
from tests.support import projections
from tests.support.log import Log, household, registered
from tests.support.pool import Pool
from tests.support.processes import Process
from tests.support.servers import Servers

SEED = int(os.environ.get("SIAO_TEST_SEED", "2563"))
REGISTRY = EVENT_TOPICS["registry"].name
HOUSEHOLDS, KILLS = 300, 6


@pytest_asyncio.fixture
async def producer(servers: Servers) -> AsyncIterator[AIOKafkaProducer]:
    producer = AIOKafkaProducer(**servers.kafka_login("admin"), enable_idempotence=True)
    await producer.start()
    yield producer
    await producer.stop()


@pytest_asyncio.fixture
async def worker(servers: Servers) -> AsyncIterator[Process]:
    process = projections.worker(servers)
    await process.start()
    yield process
    await process.end()


async def trickle(producer: AIOKafkaProducer, log: Log) -> None:
    for first in range(0, len(log.records), 20):
        await projections.publish(producer, log.records[first : first + 20])
        await asyncio.sleep(0.05)


async def keep_alive(worker: Process, deaths: list[int]) -> None:
    """As a supervisor does."""
    while True:
        if worker.exit_code is not None:
            deaths.append(worker.exit_code)
            with suppress(RuntimeError):
                await worker.start()
        await asyncio.sleep(0.01)


async def under(
    servers: Servers, producer: AIOKafkaProducer, fault: Callable[[], Awaitable[None]], *supervised: Process
) -> list[int]:
    """Publishes a crowd's events while `fault` goes on, and compares in the end. Answers with what exit codes died."""
    log, deaths = projections.crowd(HOUSEHOLDS, SEED, name=token_hex(6)), list[int]()
    supervisors = [asyncio.create_task(keep_alive(process, deaths)) for process in supervised]
    try:
        await asyncio.gather(trickle(producer, log), fault())
        await projections.folded(servers, log)
    finally:
        for supervisor in supervisors:
            supervisor.cancel()
    await projections.assert_as_if_nothing_had_happened(servers, log)
    return deaths


async def test_killed_at_random(servers: Servers, producer: AIOKafkaProducer, worker: Process):
    draw = random.Random(SEED)

    async def kill() -> None:
        for _ in range(KILLS):
            await asyncio.sleep(draw.uniform(0, 0.8))
            await worker.end(signal.SIGKILL)
            await worker.start()

    await under(servers, producer, kill)


@pytest.mark.parametrize("point", ["worker.before_commit", "worker.after_commit"])
async def test_killed_at_a_commit(servers: Servers, producer: AIOKafkaProducer, point: str):
    process = projections.worker(servers, SIAO_FAILPOINTS=f"{SEED}:{point}=0.05")
    await process.start()
    try:
        deaths = await under(servers, producer, partial(asyncio.sleep, 0), process)
    finally:
        await process.end()
    assert set(deaths) == {-signal.SIGKILL}


async def test_postgresql_restarts(servers: Servers, producer: AIOKafkaProducer, worker: Process):
    async def restart() -> None:
        for _ in range(2):
            await asyncio.sleep(1)
            await servers.restart_postgres()

    await under(servers, producer, restart, worker)
    assert worker.exit_code is None


async def test_kafka_is_killed(servers: Servers, producer: AIOKafkaProducer, worker: Process):
    async def kill() -> None:
        await asyncio.sleep(1)
        await servers.kill_kafka()
        await servers.start_kafka()

    await under(servers, producer, kill, worker)


SILENT = """
import asyncio
from services.projections import lanes, watch
from services.projections.__main__ import work
async def never(*_): await asyncio.Event().wait()
lanes.Lanes.put, watch.STALLED_SECONDS, watch.LOOK_SECONDS = never, 12, 1
work()"""
"""A worker whose stream stops without a word, and which waits for less than half a minute; for more than it may take to
be given partitions after another worker was killed."""


async def test_a_silent_stall_ends_the_process_and_the_next_one_goes_on(servers: Servers, producer: AIOKafkaProducer):
    log, silent = projections.crowd(50, SEED, name=token_hex(6)), projections.worker(servers)
    silent.command = [sys.executable, "-c", SILENT]
    await silent.start()
    await projections.publish(producer, log.records)
    async with asyncio.timeout(60):
        while silent.exit_code is None:
            await asyncio.sleep(0.1)
    assert silent.exit_code == EXIT_CODE
    assert "Stalled" in servers.home.log("projections").read_text(encoding="utf-8")
    silent.command = projections.worker(servers).command
    await silent.start()
    await projections.folded(servers, log)
    await silent.end()
    await projections.assert_as_if_nothing_had_happened(servers, log)


async def cut(servers: Servers, topic: str, partition: int) -> None:
    """Kafka dies, and half of a partition with it."""
    await servers.kill_kafka()
    segment = max((servers.broker.data / f"{topic}-{partition}").glob("*.log"))
    os.truncate(segment, segment.stat().st_size // 2)
    await servers.start_kafka()


@pytest.mark.parametrize("frozen", [False, True], ids=["as it happens", "before the worker can look"])
async def test_the_log_loses_its_end_and_is_filled_again(
    servers: Servers, producer: AIOKafkaProducer, worker: Process, frozen: bool
):
    log = projections.crowd(20, SEED, name=token_hex(6))
    await projections.publish(producer, log.records)
    await projections.folded(servers, log)
    place = REGISTRY, next(record.partition for record in log.records if record.topic == REGISTRY)
    lost = [record for record in log.records if (record.topic, record.partition) == place]
    filling = Log()
    for n in range(2000):  # about eighty in that partition: more than it lost
        if partition_of(key := household(f"{token_hex(6)}{n}")) == place[1]:
            filling.add(f"household-{key}", registered(key))

    async def fault() -> None:
        if frozen:
            worker.send(signal.SIGSTOP)
        await cut(servers, *place)
        await projections.publish(producer, [*filling.records, *lost])
        if frozen:
            worker.send(signal.SIGCONT)

    await under(servers, producer, fault, worker)
    await projections.folded(servers, filling)
    assert "log_rewritten" in servers.home.log("projections").read_text(encoding="utf-8")
    await projections.assert_as_if_nothing_had_happened(servers, log)
    await projections.assert_as_if_nothing_had_happened(servers, filling)


async def test_a_log_without_its_beginning_is_refused(pool_of_servers: Pool):
    async with pool_of_servers.taken() as servers:
        producer = AIOKafkaProducer(**servers.kafka_login("admin"))
        await producer.start()
        log = projections.crowd(1, SEED)
        await projections.publish(producer, log.records)
        await producer.stop()
        record, login = log.records[0], servers.kafka_login("admin")
        admin = AdminClient(
            {
                "bootstrap.servers": login["bootstrap_servers"],
                "security.protocol": login["security_protocol"],
                "sasl.mechanism": login["sasl_mechanism"],
                "sasl.username": login["sasl_plain_username"],
                "sasl.password": login["sasl_plain_password"],
            }
        )
        for done in admin.delete_records([TopicPartition(record.topic, record.partition, 1)]).values():
            await asyncio.to_thread(done.result)
        worker = projections.worker(servers)
        with pytest.raises(RuntimeError, match="not ready"):
            await worker.start()
        assert worker.exit_code == 1
        assert "CheckpointOutsideLog" in servers.home.log("projections").read_text(encoding="utf-8")
