"""Reads a topic whole, and holds it against what was appended."""

import json
from collections import defaultdict
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import asyncpg
from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition

from shared.events import envelope
from shared.events.topics import EVENT_TOPICS, PROGRESS, Topic
from shared.runtime import batches
from tests.support.servers import Servers


@dataclass(frozen=True, slots=True)
class Entry:
    """One record of an event topic."""

    partition: int
    offset: int
    stream: str
    version: int
    hash: str


async def entries(servers: Servers, service: str = "registry") -> list[Entry]:
    """Every record of the service's topic, each partition in its order."""
    found = []
    async for record in records(servers, EVENT_TOPICS[service]):
        told, digest = envelope.read((name, value.decode()) for name, value in record.headers)
        found.append(Entry(record.partition, record.offset, told.stream, told.version, digest))
    return found


async def progress(servers: Servers, service: str = "registry") -> list[dict[str, Any]]:
    """What the service's relay told of its watermark, in order."""
    told = [json.loads(record.value) async for record in records(servers, PROGRESS)]
    return [message for message in told if message["service"] == service]


async def assert_published(servers: Servers, service: str = "registry") -> list[Entry]:
    """Every stored event is in the topic with its hash, each stream in its order, and what comes again is something
    passed. Answers the records of the topic."""
    log = await entries(servers, service)
    connection = await asyncpg.connect(servers.dsn(service))
    stored = await connection.fetch("SELECT stream, version, hash FROM event")
    await connection.close()
    held: dict[str, list[str]] = defaultdict(list)
    for entry in log:
        assert entry.version <= len(held[entry.stream]) + 1, f"{entry.stream}@{entry.version} overtook"
        if entry.version == len(held[entry.stream]) + 1:
            held[entry.stream].append(entry.hash)
        assert held[entry.stream][entry.version - 1] == entry.hash, f"{entry.stream}@{entry.version} came changed"
    missing = [row for row in stored if held[row["stream"]][row["version"] - 1 : row["version"]] != [row["hash"]]]
    assert not missing, f"{len(missing)} events are not in the log"
    return log


async def records(servers: Servers, topic: Topic) -> AsyncIterator[ConsumerRecord]:
    """Every record of a topic up to its end now, each partition in its order."""
    batches.install()
    consumer = AIOKafkaConsumer(**servers.kafka_login("admin"), auto_offset_reset="earliest")
    await consumer.start()
    try:
        places = [TopicPartition(topic.name, number) for number in range(topic.partitions)]
        ends = await consumer.end_offsets(places)
        begins = await consumer.beginning_offsets(places)
        consumer.assign(places)
        left = {place for place in places if begins[place] < ends[place]}
        while left:
            for place, records in (await consumer.getmany(timeout_ms=500)).items():
                for record in records:
                    if record.offset < ends[place]:
                        yield record
                if records[-1].offset + 1 >= ends[place]:
                    left.discard(place)
    finally:
        await consumer.stop()
