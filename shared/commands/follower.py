"""Reads the registry's topic into `known_household`, so that a service can decide about households it does not own.

Rows and offsets are written in one transaction, and a row only ever takes a higher version, so that a record that comes
twice changes nothing. One follower a service works, others stand by (shared/runtime/lock.py): two dozen small
partitions need no consumer group, and without one there is no rebalancing to get right.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import asyncpg
from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from fastapi import FastAPI
from prometheus_client import Counter, Gauge

from shared.events import catalog, envelope
from shared.events.registry import HouseholdRegistered
from shared.events.topics import EVENT_TOPICS, PARTITIONS
from shared.runtime import logs
from shared.runtime.failpoint import failpoint
from shared.runtime.kafka import login
from shared.runtime.lock import sole
from shared.runtime.settings import Settings
from shared.runtime.worker import Pulse, worker

TOPIC = EVENT_TOPICS["registry"].name
WAIT_MS = 1_000
MOST = 5_000
"""Records in one transaction."""

log = logs.get(__name__)
followed = Counter("siao_follower_records_total", "Records of the registry's topic taken in")
quarantined = Counter("siao_follower_quarantined_total", "Records of the registry's topic that could not be read")
lag = Gauge("siao_follower_lag_records", "Records of the registry's topic not taken in yet")


def app(settings: Settings) -> FastAPI:
    """The follower process of `settings.service`."""

    async def session(pulse: Pulse) -> None:
        consumer = AIOKafkaConsumer(
            **login(settings), group_id=None, enable_auto_commit=False, auto_offset_reset="none"
        )
        async with sole(settings, "follower", pulse) as connection:
            try:
                await consumer.start()
                await _seek(consumer, connection)
                while True:
                    pulse.beat()
                    fetched = await consumer.getmany(timeout_ms=WAIT_MS, max_records=MOST)
                    if fetched:
                        await _take(connection, fetched)
                    lag.set(await _behind(consumer))
            finally:
                await consumer.stop()

    return worker(f"Siao follower of {settings.service}", session)


@dataclass(slots=True)
class Batch:
    """What some records say."""

    villages: dict[str, str] = field(default_factory=dict)
    """Household -> village, of those registered here."""
    versions: dict[str, int] = field(default_factory=dict)
    unreadable: list[tuple[str, int, int, str]] = field(default_factory=list)
    """(topic, partition, offset, reason)"""

    def read(self, record: ConsumerRecord) -> None:
        """Takes in one record, or notes where one stands that nobody can read."""
        try:
            told, _ = envelope.read((name, value.decode()) for name, value in record.headers)
            event = catalog.decode(told.type, record.value)
        except (KeyError, ValueError, TypeError) as error:
            self.unreadable.append((record.topic, record.partition, record.offset, type(error).__name__))
            return
        self.versions[told.key] = max(told.version, self.versions.get(told.key, 0))
        if isinstance(event, HouseholdRegistered):
            self.villages[told.key] = event.village


async def _take(connection: asyncpg.Connection, fetched: Mapping[TopicPartition, Sequence[ConsumerRecord]]) -> None:
    batch = Batch()
    for records in fetched.values():
        for record in records:
            batch.read(record)
    async with connection.transaction():
        await _write(connection, batch)
        await connection.execute(
            """INSERT INTO followed SELECT $1, * FROM unnest($2::smallint[], $3::bigint[])
               ON CONFLICT (topic, partition) DO UPDATE SET next_offset = excluded.next_offset""",
            TOPIC,
            [place.partition for place in fetched],
            [records[-1].offset + 1 for records in fetched.values()],
        )
        failpoint("follower.before_commit")
    failpoint("follower.after_commit")
    followed.inc(sum(len(records) for records in fetched.values()))
    if batch.unreadable:
        quarantined.inc(len(batch.unreadable))
        log.error("records_unreadable", count=len(batch.unreadable), first_offset=batch.unreadable[0][2])


async def _write(connection: asyncpg.Connection, batch: Batch) -> None:
    households = sorted(batch.versions)
    await connection.execute(
        """INSERT INTO known_household AS known
           SELECT * FROM unnest($1::text[], $2::text[], $3::integer[])
           ON CONFLICT (household) DO UPDATE
           SET village = coalesce(excluded.village, known.village),
               version = greatest(excluded.version, known.version)""",
        households,
        [batch.villages.get(household) for household in households],
        [batch.versions[household] for household in households],
    )
    await connection.executemany(
        "INSERT INTO follower_quarantine VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING", batch.unreadable
    )


async def _seek(consumer: AIOKafkaConsumer, connection: asyncpg.Connection) -> None:
    """Goes on behind what was taken in; where the log now ends earlier, at its end, since what a broker lost of it
    comes again (shared/eventstore/restore.py)."""
    places = [TopicPartition(TOPIC, partition) for partition in range(PARTITIONS)]
    consumer.assign(places)
    ends = await consumer.end_offsets(places)
    rows = await connection.fetch("SELECT partition, next_offset FROM followed WHERE topic = $1", TOPIC)
    reached = {row["partition"]: row["next_offset"] for row in rows}
    for place in places:
        consumer.seek(place, min(reached.get(place.partition, 0), ends[place]))


async def _behind(consumer: AIOKafkaConsumer) -> int:
    places = consumer.assignment()
    return sum([max(0, (consumer.highwater(place) or 0) - await consumer.position(place)) for place in places])
