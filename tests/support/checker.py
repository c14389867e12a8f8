"""Holds store, log and projections against each other after a fault run. Shares no code with the projections' fold.

What must hold (each a promise of the README): what was acknowledged is stored; versions have no gaps and the chain is
whole; every stored event is in its topic with the same bytes, each stream in order; nothing else is in a topic; the
projections hold exactly the stored events, and the figures that a plain fold of the store gives.
"""

import json
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import groupby
from typing import Any

import asyncpg
from aiokafka import AIOKafkaConsumer, TopicPartition

from shared.events import envelope
from shared.events.catalog import SERVICES
from shared.events.topics import EVENT_TOPICS, PARTITIONS, partition_of
from shared.runtime import batches
from tests.support import plain
from tests.support.servers import Servers


@dataclass(frozen=True)
class Event:
    service: str
    stream: str
    version: int
    id: str
    type: str
    recorded_at: str
    headers: bytes
    value: bytes
    hash: str

    @cached_property
    def data(self) -> dict[str, Any]:
        told: dict[str, Any] = json.loads(self.value)
        return told


async def stored_events(servers: Servers) -> list[Event]:
    """Every event of the three stores, each stream in order of version."""
    connection = await asyncpg.connect(servers.admin_dsn)
    try:
        return [
            Event(service, *row)
            for service in SERVICES
            for row in await connection.fetch(
                f"""SELECT stream, version, id::text, type,
                           to_char(recorded_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
                           headers, value, hash
                    FROM {service}.event ORDER BY stream, version"""
            )
        ]
    finally:
        await connection.close()


async def check_store(servers: Servers, acknowledged: Iterable[str] = ()) -> list[Event]:
    """Answers the events. `acknowledged`: ids of events that a caller was told of."""
    events = await stored_events(servers)
    missing = set(acknowledged) - {event.id for event in events}
    assert not missing, f"{len(missing)} acknowledged events are not stored"
    for stream, of_stream in groupby(events, key=lambda event: (event.service, event.stream)):
        before, moment = envelope.GENESIS, ""
        for version, event in enumerate(of_stream, start=1):
            headers = dict(envelope.split(event.headers))
            assert event.version == version, f"{stream} has a gap before {event.version}"
            assert headers["ce_prevhash"] == before, f"{stream}@{version}: the chain is broken"
            assert event.hash == envelope.chain_hash(event.headers, event.value), f"{stream}@{version} was altered"
            assert headers["ce_time"] == event.recorded_at >= moment, f"{stream}@{version}: recorded_at went back"
            before, moment = event.hash, event.recorded_at
    return events


async def check_log(servers: Servers, events: list[Event], services: Sequence[str] = SERVICES) -> None:
    for service, topic in ((service, EVENT_TOPICS[service]) for service in services):
        mine = {(event.stream, event.version): event for event in events if event.service == service}
        seen: dict[str, int] = {}
        async for partition, headers, value in _records(servers, topic.name):
            told = dict(headers)
            event = mine.get((told["ce_subject"], int(told["ce_version"])))
            assert event is not None, (
                f"{topic.name} holds {told['ce_subject']}@{told['ce_version']}, the store does not"
            )
            assert (envelope.canonical(headers), value, told["ce_hash"]) == (event.headers, event.value, event.hash)
            assert partition == partition_of(envelope.key_of(event.stream))
            assert event.version <= seen.get(event.stream, 0) + 1, f"{event.stream} is out of order in the log"
            seen[event.stream] = max(event.version, seen.get(event.stream, 0))
        ends = {event.stream: event.version for event in mine.values() if event.version >= seen.get(event.stream, 0)}
        lost = {stream for stream, version in ends.items() if seen.get(stream) != version}
        assert not lost, f"{len(lost)} streams end earlier in {topic.name} than in the store"


async def _records(servers: Servers, topic: str) -> AsyncIterator[tuple[int, list[envelope.Header], bytes]]:
    """Every record of a topic up to its end now: (partition, headers, value)."""
    batches.install()
    consumer = AIOKafkaConsumer(**servers.kafka_login("admin"), isolation_level="read_committed")
    await consumer.start()
    try:
        partitions = [TopicPartition(topic, p) for p in range(PARTITIONS)]
        consumer.assign(partitions)
        await consumer.seek_to_beginning(*partitions)
        ends = await consumer.end_offsets(partitions)
        while [p for p in partitions if await consumer.position(p) < ends[p]]:
            for partition, records in (await consumer.getmany(timeout_ms=200)).items():
                for record in records:
                    yield partition.partition, [(k, v.decode()) for k, v in record.headers], record.value
    finally:
        await consumer.stop()


async def check_projections(servers: Servers, events: list[Event]) -> None:
    connection = await asyncpg.connect(servers.admin_dsn)
    try:
        await connection.execute("SET search_path = projections")
        facts = {
            (r["stream"], r["version"]): r["hash"]
            for r in await connection.fetch("SELECT stream, version, hash FROM fact")
        }
        assert facts == {(event.stream, event.version): event.hash for event in events}
        assert await figures(connection) == expected(events)
    finally:
        await connection.close()


Figures = Mapping[str, Mapping[Any, Any]]
"""Read model -> cell -> how many."""


async def figures(connection: asyncpg.Connection) -> Figures:
    """What the tables of a schema say; the connection's search_path names it."""
    rows = await connection.fetch(
        """SELECT village, cohort, household_class, dimension, measure, sum(n)::int AS n FROM coverage_rollup
           WHERE definition = 'coverage-1' AND measure IN ('need', 'reached')
           GROUP BY 1, 2, 3, 4, 5 HAVING sum(n) <> 0"""
    )
    loads = await connection.fetch(
        "SELECT helper, sum(n)::int AS n FROM caseload_rollup WHERE role = 'lead' GROUP BY 1 HAVING sum(n) <> 0"
    )
    return {
        "coverage": {tuple(row)[:5]: row["n"] for row in rows},
        "leads": {row["helper"]: row["n"] for row in loads},
    }


def expected(events: Sequence[Event]) -> Figures:
    """The same, folded from events the plain way."""
    return {"coverage": plain.coverage(events), "leads": plain.leads(events)}


async def folded(servers: Servers, events: list[Event]) -> bool:
    """Whether the projections have taken as many facts as there are events."""
    connection = await asyncpg.connect(servers.admin_dsn)
    try:
        count: int = await connection.fetchval("SELECT count(*) FROM projections.fact")
        return count >= len(events)
    finally:
        await connection.close()
