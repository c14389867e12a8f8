"""Keeps what a service knows of the registry: reads its topic, and writes rows and offsets in one transaction. So it
does with what a service takes of other topics beside. Each topic is taken in transactions of its own, and each merger
that a service reacts to, so that none asks for locks behind those that another has taken.

Exact: a batch is taken wholly or not at all, the offsets are PostgreSQL's, and a record that comes again is known by
its stream, version and hash. What does not continue its stream, or cannot be read, goes into quarantine, and is looked
at again when its household changes (of the registry) and when a session begins: a missing record may have come, or a
newer version of this program reads more.

Whoever holds a lock is assigned all partitions by hand, rather than a group sharing them: one process keeps up with a
whole country's registrations, a group would add rebalances and owners that overlap, and the lock's connection is also
the one that writes, so nobody can write who has lost it. A second follower waits.

A place behind the log's end means that a broker lost its tail: reading goes on from the end, where the relay puts
everything that was lost (shared/eventstore/restore.py).
"""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from time import monotonic
from types import MappingProxyType
from typing import Protocol, TypeVar, cast

import asyncpg
from aiokafka import AIOKafkaConsumer, TopicPartition
from prometheus_client import Counter, Gauge
from starlette.applications import Starlette

from shared.events.base import HouseholdId
from shared.events.envelope import Envelope
from shared.events.registry import HouseholdMerged
from shared.events.topics import EVENT_TOPICS, PARTITIONS
from shared.runtime import known_household, logs, quarantine
from shared.runtime.consumer import consuming
from shared.runtime.failpoint import failpoint
from shared.runtime.known_household import Taken
from shared.runtime.lock import sole
from shared.runtime.postgres import columns
from shared.runtime.registry_log import Aside, Delivered, Readable, read
from shared.runtime.settings import Settings
from shared.runtime.worker import Pulse, worker

TOPIC = EVENT_TOPICS["registry"].name
AT_ONCE = 2_000
WAIT_MS = 1_000
GATHER_SECONDS = 0.1
"""How long records gather behind those that were just taken: a fetch and a transaction for each that comes alone cost
more than all else that is done about it. A command with Siao-After waits so much longer at most."""
LOOK_SECONDS = 5.0
"""Between looks at how far the log has grown."""
STALLED_SECONDS = 30.0

T = TypeVar("T")

log = logs.get(__name__)
taken = Counter("siao_follower_records_total", "Records read, repeats among them")
lag = Gauge("siao_follower_lag_records", "Records of the topics that are not read yet")


class React(Protocol):
    """What a service does, in the follower's transaction, about a household that was merged.

    Answers why it could not, for the quarantine, or None. Called once, whatever is killed and however often a record
    comes.
    """

    async def __call__(self, connection: asyncpg.Connection, told: Envelope, merged: HouseholdMerged) -> str | None: ...


class Take(Protocol):
    """What a service does, in the follower's transaction, about records of another topic. Each may come again.

    Answers those that could not be taken, for the quarantine. Those that wait come again when a session begins.
    """

    async def __call__(self, connection: asyncpg.Connection, records: Sequence[Delivered]) -> Sequence[Aside]: ...


Beside = Mapping[str, Take]
"""Other topics -> what is done about their records."""
NOTHING: Beside = MappingProxyType({})


def app(settings: Settings, react: React | None = None, beside: Beside = NOTHING) -> Starlette:
    """The follower process of `settings.service`."""

    async def session(pulse: Pulse) -> None:
        async with sole(settings, "follower", pulse) as connection, consuming(settings) as consumer:
            follower = Follower(connection, consumer, react, beside)
            await follower.begin()
            log.info("following", topics=[TOPIC, *beside])
            while True:
                pulse.beat()
                await follower.round()

    return worker(f"Siao follower of {settings.service}", session)


class Follower:
    def __init__(
        self,
        connection: asyncpg.Connection,
        consumer: AIOKafkaConsumer,
        react: React | None = None,
        beside: Beside = NOTHING,
    ) -> None:
        self._connection, self._consumer, self._react, self._beside = connection, consumer, react, beside
        self._places = [TopicPartition(topic, n) for topic in (TOPIC, *beside) for n in range(PARTITIONS)]
        self._next: dict[TopicPartition, int] = {}
        self._look_at = self._expire_at = self._moved_at = monotonic()

    async def begin(self) -> None:
        """Goes to where PostgreSQL says that reading ended. Raises KafkaError, asyncpg.PostgresError."""
        rows = await self._connection.fetch("SELECT topic, partition, next_offset FROM followed")
        noted = {TopicPartition(row["topic"], row["partition"]): row["next_offset"] for row in rows}
        ends = await self._consumer.end_offsets(self._places)
        self._next = {place: min(noted.get(place, 0), ends[place]) for place in self._places}
        for place, end in ends.items():
            if (offset := noted.get(place, 0)) > end:
                log.error("log_shorter_than_read", **place._asdict(), read=offset, end=end)
                await quarantine.forget(self._connection, place, end)
        for topic in (TOPIC, *self._beside):
            async with self._connection.transaction():
                await self._take_of(topic, [], await quarantine.households(self._connection, topic))
        self._consumer.assign(self._places)
        for place, offset in self._next.items():
            self._consumer.seek(place, offset)

    async def round(self) -> None:
        """Takes what has arrived, or waits a second. Raises KafkaError, PostgresError, OSError, TimeoutError."""
        if self._connection.is_closed():  # nobody may have written anything for long
            raise ConnectionResetError("the connection that holds the lock")
        arrived = await self._consumer.getmany(timeout_ms=WAIT_MS, max_records=AT_ONCE)
        if arrived:
            await self._take(arrived)
            self._moved_at = monotonic()
            if sum(map(len, arrived.values())) < AT_ONCE:
                await asyncio.sleep(GATHER_SECONDS)
        if monotonic() >= self._look_at:
            await self._look()

    async def _take(self, arrived: Mapping[TopicPartition, Sequence[Delivered]]) -> None:
        records: dict[str, list[Delivered]] = defaultdict(list)
        for place, of_partition in arrived.items():
            records[place.topic] += of_partition
        for topic in sorted(records, key=[TOPIC, *self._beside].index):
            reacts = self._react is not None and topic == TOPIC
            for some in cut_behind(records[topic], is_merger) if reacts else [records[topic]]:
                await self._take_some(topic, some)

    async def _take_some(self, topic: str, records: Sequence[Delivered]) -> None:
        reached = {TopicPartition(topic, one.partition): one.offset + 1 for one in records}
        async with self._connection.transaction():
            await self._take_of(topic, records)
            await self._note(reached)
            failpoint("follower.before_commit")
        failpoint("follower.after_commit")
        self._next |= reached
        taken.inc(len(records))

    async def _take_of(
        self, topic: str, records: Sequence[Delivered], waiting_of: Set[HouseholdId] = frozenset()
    ) -> None:
        """In the caller's transaction: these records, and what waits of those households."""
        if topic != TOPIC:
            await self._take_beside(topic, records, waiting_of)
            return
        readable, aside = read(records)
        await quarantine.keep(self._connection, TOPIC, aside)
        if households := waiting_of | {one.told.key for one in readable}:
            await self._know(readable, households)

    async def _take_beside(self, topic: str, records: Sequence[Delivered], waiting_of: Set[HouseholdId]) -> None:
        waiting = await quarantine.waiting(self._connection, topic, waiting_of) if waiting_of else []
        kept = [cast(Delivered, one.record) for one in waiting]
        if kept or records:
            aside = await self._beside[topic](self._connection, [*kept, *records])
            await quarantine.settle(self._connection, topic, waiting, aside)
            await quarantine.keep(self._connection, topic, aside)

    async def _know(self, readable: Sequence[Readable], households: Set[HouseholdId]) -> None:
        """Takes what can be taken of these records of these households, and of what waits of them."""
        waiting = await quarantine.waiting(self._connection, TOPIC, households)
        known = await known_household.load(self._connection, households)
        done, aside = known_household.fold(known, [*waiting, *readable])
        for part in to_each_merger(done):
            await known_household.save(self._connection, {one.told.key: household for one, household in part})
            if self._react and (why := await self._reaction(self._react, part[-1].one)):
                aside.append(why)
        await quarantine.settle(self._connection, TOPIC, waiting, aside)
        await quarantine.keep(self._connection, TOPIC, aside)

    async def _reaction(self, react: React, one: Readable) -> Aside | None:
        """None where there is nothing to put aside."""
        if one.told.type != HouseholdMerged.type:
            return None
        merged = HouseholdMerged.model_validate_json(one.record.value or b"")
        why = await react(self._connection, one.told, merged)
        return None if why is None else Aside(one.record, why)

    async def _note(self, reached: Mapping[TopicPartition, int]) -> None:
        await self._connection.execute(
            """INSERT INTO followed (topic, partition, next_offset)
               SELECT * FROM unnest($1::text[], $2::smallint[], $3::bigint[])
               ON CONFLICT (topic, partition) DO UPDATE SET next_offset = excluded.next_offset""",
            *columns([(*place, offset) for place, offset in reached.items()]),
        )

    async def _look(self) -> None:
        ends = await self._consumer.end_offsets(self._places)
        behind = sum(max(0, ends[place] - offset) for place, offset in self._next.items())
        lag.set(behind)
        now = monotonic()
        if now >= self._expire_at:
            await quarantine.expire(self._connection)
            self._expire_at = now + quarantine.EXPIRE_SECONDS
        await quarantine.count(self._connection)
        if behind == 0:
            self._moved_at = now
        if now - self._moved_at > STALLED_SECONDS:
            raise TimeoutError("records are there and none arrives")
        self._look_at = now + LOOK_SECONDS


def to_each_merger(taken: Sequence[Taken]) -> Iterator[Sequence[Taken]]:
    """Cut behind each merger, so that what was known when it came is known again when one reacts to it."""
    return cut_behind(taken, lambda at: at.one.told.type == HouseholdMerged.type)


def is_merger(record: Delivered) -> bool:
    return ("ce_type", HouseholdMerged.type.encode()) in record.headers


def cut_behind(every: Sequence[T], last: Callable[[T], bool]) -> Iterator[Sequence[T]]:
    """Parts of which each but the final one ends with one that is `last`."""
    begin = 0
    for i, one in enumerate(every, start=1):
        if last(one) or i == len(every):
            yield every[begin:i]
            begin = i
