"""What no service of ours would write, put into the real log: every kind is told of, and the rest comes out exact."""

import random
from collections.abc import AsyncIterator
from dataclasses import replace
from secrets import token_hex

import asyncpg
import httpx
import pytest
import pytest_asyncio
from aiokafka import AIOKafkaProducer
from aiokafka.errors import MessageSizeTooLargeError

from shared.events.topics import partition_of
from tests.support import projections
from tests.support.log import Log, classified, household, registered
from tests.support.processes import Process
from tests.support.projections import HouseholdClass
from tests.support.seeded import poison
from tests.support.servers import Servers, free_port


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def worker(servers: Servers) -> AsyncIterator[Process]:
    process = projections.worker(servers)
    await process.start()
    yield process
    await process.end()


async def publish(servers: Servers, log: Log) -> None:
    async with AIOKafkaProducer(**servers.kafka_login("admin"), enable_idempotence=True) as producer:
        await projections.publish(producer, log.records)


async def metrics(worker: Process) -> str:
    async with httpx.AsyncClient() as client:
        return (await client.get(f"{worker.url}/metrics")).text


async def test_every_kind_of_poison_is_told_and_the_valid_set_comes_out_exact(servers: Servers, worker: Process):
    before, after = (projections.crowd(20, seed, name=token_hex(6)) for seed in (1, 2))
    await publish(servers, before)
    sound, draw = [record for record in before.records if record.topic.endswith("registry.v1")], random.Random(8)
    kinds = [(kind, break_(draw.choice(sound))) for kind, break_ in poison.KINDS.items()]
    placed = await poison.put(servers, kinds)
    follower = Process(
        "pairing", "follower", servers.settings("pairing", http_port=free_port()), servers.home.log("follower")
    )
    await follower.start()
    await publish(servers, after)
    await projections.folded(servers, after)
    await projections.assert_as_if_nothing_had_happened(servers, after)

    connection = await asyncpg.connect(servers.admin_dsn, server_settings={"search_path": "projections"})
    aside = {
        (row["topic"], row["partition"], row["offset"]): row["reason"]
        for table in ("quarantine", "parked")
        for row in await connection.fetch(f'SELECT topic, partition, "offset", reason FROM {table}')
    }
    told = {put.kind: aside.get((put.topic, put.partition, put.offset)) for put in placed}
    assert [kind for kind, reason in told.items() if not reason] == []
    facts = await connection.fetch("SELECT stream, version, hash FROM fact")
    await connection.close()
    valid = {
        headers["ce_hash"].decode() for log in (before, after) for headers in (dict(r.headers) for r in log.records)
    }
    assert {row["hash"] for row in facts} == valid
    assert worker.exit_code is None
    assert follower.exit_code is None
    await follower.end()
    page = await metrics(worker)
    quarantined = next(
        line for line in page.splitlines() if line.startswith("siao_projections_records_quarantined_total")
    )
    assert float(quarantined.split()[1]) >= len([reason for reason in told.values() if reason != "fork"])


async def test_a_broker_takes_no_record_beyond_its_limit(servers: Servers):
    """10 MB never reach the log."""
    record = Log().add(f"household-{household(token_hex(10))}", registered(household(1)))
    with pytest.raises(MessageSizeTooLargeError):
        await poison.put(servers, [("10 MB", replace(record, value=b" " * 10_000_000))])


async def test_a_stream_out_of_order_is_told_and_never_counted_wrong(servers: Servers, worker: Process):
    name = token_hex(6)
    key, log = household(f"{name}1"), Log()
    first = log.add(f"household-{key}", registered(key))
    second, third, fourth = (log.add(f"household-{key}", classified(key, HouseholdClass.WELFARE)) for _ in range(3))
    async with AIOKafkaProducer(**servers.kafka_login("admin")) as producer:
        await projections.publish(producer, [first, fourth])
        await projections.publish(producer, [third, second])
    await projections.folded(servers, log)
    await projections.assert_as_if_nothing_had_happened(servers, log)
    said = [line for line in (await metrics(worker)).splitlines() if "records_parked_total{" in line]
    assert any('"gap"' in line or '"out of order"' in line for line in said), said
    assert "records_set_aside" in servers.home.log("projections").read_text(encoding="utf-8")
    assert partition_of(key) == first.partition
