"""Keeps what a service knows of the registry: reads its topic, and writes rows and offsets in one transaction.

Exact: a batch is taken wholly or not at all, the offsets are PostgreSQL's, and a record that comes again is known by
its stream and version. Whoever holds a lock is assigned all partitions by hand, rather than a group sharing them: one
process keeps up with a whole country's registrations, a group would add rebalances and owners that overlap, and the
lock's connection is also the one that writes, so nobody can write who has lost it. A second follower waits.

A place behind the log's end means that a broker lost its tail: reading goes on from the end, where the relay puts
everything that was lost (shared/eventstore/restore.py).
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from time import monotonic
from typing import Protocol

import asyncpg
from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from fastapi import FastAPI
from prometheus_client import Counter, Gauge

from shared.events import envelope
from shared.events.base import HouseholdId
from shared.events.envelope import Envelope
from shared.events.registry import HouseholdMerged
from shared.events.topics import EVENT_TOPICS, PARTITIONS, partition_of
from shared.runtime import known_household, logs
from shared.runtime.consumer import consuming
from shared.runtime.failpoint import failpoint
from shared.runtime.known_household import Household, Unreadable
from shared.runtime.lock import sole
from shared.runtime.settings import Settings
from shared.runtime.worker import Pulse, worker

TOPIC = EVENT_TOPICS["registry"].name
HOUSEHOLD = re.compile("household-hh_[0-9a-z]{20}")
"""A stream to follow; the registry may publish others."""
PLACES = [TopicPartition(TOPIC, number) for number in range(PARTITIONS)]
AT_ONCE = 2_000
WAIT_MS = 1_000
LOOK_SECONDS = 5.0
"""Between looks at how far the log has grown."""
STALLED_SECONDS = 30.0

Readable = tuple[Envelope, ConsumerRecord]
Poison = tuple[ConsumerRecord, str]
"""With the reason, which quotes nothing of the record."""

log = logs.get(__name__)
taken = Counter("siao_follower_records_total", "Records read, repeats among them")
quarantined = Counter("siao_follower_quarantined_total", "Records that could not be read")
lag = Gauge("siao_follower_lag_records", "Records of the topic that are not read yet")


class React(Protocol):
    """What a service does, in the follower's transaction, about a household that was merged.

    Answers why it could not, for the quarantine, or None. Called once, whatever is killed and however often a record
    comes.
    """

    async def __call__(self, connection: asyncpg.Connection, told: Envelope, merged: HouseholdMerged) -> str | None: ...


def app(settings: Settings, react: React | None = None) -> FastAPI:
    """The follower process of `settings.service`."""

    async def session(pulse: Pulse) -> None:
        async with sole(settings, "follower", pulse) as connection, consuming(settings) as consumer:
            follower = Follower(connection, consumer, react)
            await follower.begin()
            log.info("following", topic=TOPIC)
            while True:
                pulse.beat()
                await follower.round()

    return worker(f"Siao follower of {settings.service}", session)


class Follower:
    def __init__(self, connection: asyncpg.Connection, consumer: AIOKafkaConsumer, react: React | None = None) -> None:
        self._connection, self._consumer, self._react = connection, consumer, react
        self._next: dict[TopicPartition, int] = {}
        self._look_at = self._moved_at = monotonic()

    async def begin(self) -> None:
        """Goes to where PostgreSQL says that reading ended. Raises KafkaError, asyncpg.PostgresError."""
        rows = await self._connection.fetch("SELECT partition, next_offset FROM followed WHERE topic = $1", TOPIC)
        noted = {TopicPartition(TOPIC, row["partition"]): row["next_offset"] for row in rows}
        ends = await self._consumer.end_offsets(PLACES)
        self._next = {place: min(noted.get(place, 0), ends[place]) for place in PLACES}
        for place, offset in noted.items():
            if offset > ends[place]:
                log.error("log_shorter_than_read", partition=place.partition, read=offset, end=ends[place])
        self._consumer.assign(PLACES)
        for place, offset in self._next.items():
            self._consumer.seek(place, offset)

    async def round(self) -> None:
        """Takes what has arrived, or waits a second. Raises KafkaError, asyncpg.PostgresError, TimeoutError."""
        arrived = await self._consumer.getmany(timeout_ms=WAIT_MS, max_records=AT_ONCE)
        if arrived:
            await self._take(arrived)
            self._moved_at = monotonic()
        if monotonic() >= self._look_at:
            await self._look()

    async def _take(self, arrived: Mapping[TopicPartition, Sequence[ConsumerRecord]]) -> None:
        records = [record for of_partition in arrived.values() for record in of_partition]
        reached = {place: of_partition[-1].offset + 1 for place, of_partition in arrived.items()}
        readable, poison = read(records)
        async with self._connection.transaction():
            for part in to_each_merger(readable):
                poison += await self._know(part)
            await self._quarantine(poison)
            await self._note(reached)
            failpoint("follower.before_commit")
        failpoint("follower.after_commit")
        self._next |= reached
        taken.inc(len(records))

    async def _know(self, readable: Sequence[Readable]) -> list[Poison]:
        """Takes records of which only the last may be a merger; answers those that cannot be taken."""
        known = await known_household.load(self._connection, {told.key for told, _ in readable})
        changed, poison = fold(known, readable)
        await known_household.save(self._connection, changed)
        told, record = readable[-1]
        now = changed.get(told.key)
        if self._react and told.type == HouseholdMerged.type and now and now.version == told.version:
            merged = HouseholdMerged.model_validate_json(record.value)
            if (why := await self._react(self._connection, told, merged)) is not None:
                poison.append((record, why))
        return poison

    async def _note(self, reached: Mapping[TopicPartition, int]) -> None:
        await self._connection.execute(
            """INSERT INTO followed (topic, partition, next_offset)
               SELECT $1, * FROM unnest($2::smallint[], $3::bigint[])
               ON CONFLICT (topic, partition) DO UPDATE SET next_offset = excluded.next_offset""",
            TOPIC,
            [place.partition for place in reached],
            list(reached.values()),
        )

    async def _quarantine(self, poison: Iterable[Poison]) -> None:
        for record, reason in poison:
            quarantined.inc()
            log.error("record_quarantined", partition=record.partition, offset=record.offset, reason=reason)
            await self._connection.execute(
                """INSERT INTO follower_quarantine (topic, partition, "offset", reason, headers, value)
                   VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING""",
                TOPIC,
                record.partition,
                record.offset,
                reason,
                b"".join(name.encode() + b"\0" + (value or b"") + b"\0" for name, value in record.headers),
                record.value,
            )

    async def _look(self) -> None:
        ends = await self._consumer.end_offsets(PLACES)
        behind = sum(max(0, ends[place] - offset) for place, offset in self._next.items())
        lag.set(behind)
        now = monotonic()
        if behind == 0:
            self._moved_at = now
        if now - self._moved_at > STALLED_SECONDS:
            raise TimeoutError("records are there and none arrives")
        self._look_at = now + LOOK_SECONDS


def read(records: Iterable[ConsumerRecord]) -> tuple[list[Readable], list[Poison]]:
    """The events about households among the records, and what could not be read."""
    readable: list[Readable] = []
    poison: list[Poison] = []
    for record in records:
        try:
            headers = [(name, (value or b"").decode()) for name, value in record.headers]
            told, digest = envelope.read(headers)
        except (KeyError, ValueError) as error:
            poison.append((record, f"headers: {type(error).__name__}"))
            continue
        if envelope.chain_hash(envelope.canonical(headers), record.value or b"") != digest:
            poison.append((record, "the hash does not fit"))
            continue
        if record.key != told.key.encode() or record.partition != partition_of(told.key):
            poison.append((record, "in another place of the log"))
            continue
        if HOUSEHOLD.fullmatch(told.stream):
            readable.append((told, record))
        elif told.stream.startswith("household"):
            poison.append((record, "no household's stream"))
    return readable, poison


def to_each_merger(readable: Sequence[Readable]) -> Iterator[Sequence[Readable]]:
    """The records cut behind each merger, so that what was known when it came is known again when one reacts to it."""
    begin = 0
    for i, (told, _) in enumerate(readable, start=1):
        if told.type == HouseholdMerged.type or i == len(readable):
            yield readable[begin:i]
            begin = i


def fold(
    known: Mapping[HouseholdId, Household], readable: Iterable[Readable]
) -> tuple[dict[HouseholdId, Household], list[Poison]]:
    """What changes by these records, and those among them that cannot be taken."""
    changed: dict[HouseholdId, Household] = {}
    poison: list[Poison] = []
    for told, record in readable:
        before = changed.get(told.key) or known.get(told.key)
        try:
            after = known_household.follow(before, told, record.value or b"")
        except Unreadable as error:
            poison.append((record, str(error)))
            continue
        if after and after != before:
            changed[told.key] = after
    return changed, poison
