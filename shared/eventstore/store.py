"""Append events to streams and load them again.

Everything here runs inside a transaction of the caller. Heads are locked in the order of their names, so that two
transactions cannot wait for each other, and stay locked to the commit: version 4 is committed before 5 is numbered.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from functools import lru_cache
from typing import NamedTuple

import asyncpg

from shared.errors import Rejected
from shared.events import catalog, envelope
from shared.events.base import Event, Slug
from shared.events.topics import MAX_MESSAGE_BYTES, partition_of
from shared.runtime import ids
from shared.runtime.postgres import columns
from shared.runtime.settings import Clock
from shared.runtime.statement import Statement, Told

BEFORE_EVERYTHING = datetime.min.replace(tzinfo=UTC)
ROOM_FOR_RECORD_FORMAT = 1024
"""Kafka's own framing of one record, rounded up, so that what is appended can also be published."""


class Head(NamedTuple):
    """Where a stream ends. A stream without events has version 0."""

    version: int = 0
    hash: str = envelope.GENESIS
    recorded_at: datetime = BEFORE_EVERYTHING


class Origin(NamedTuple):
    """Who asked for the events, and by which command: the part of the envelope that a command brings."""

    agency: str
    actor: str
    command_id: str
    reported_on: date | None = None
    correlation_id: str | None = None
    traceparent: str | None = None
    causation_id: str | None = None
    """The event that this is an answer to."""


class Stamp(NamedTuple):
    """Where and when events are being recorded: the same for a whole transaction."""

    service: str
    now: datetime
    clock: str


class Record(NamedTuple):
    """An event ready to be stored and published, byte for byte."""

    id: str
    stream: str
    version: int
    type: str
    recorded_at: datetime
    headers: bytes
    value: bytes
    hash: str


class Stored(NamedTuple):
    stream: str
    version: int
    event: Event
    agency: Slug
    """Which published it."""


def lock(statement: Statement, streams: Sequence[str]) -> None:
    """Has it find the heads of `streams` and lock them until the transaction ends."""
    statement.add(
        "heads",
        """SELECT stream, version, hash, recorded_at FROM head WHERE stream = ANY($1::text[])
           ORDER BY stream FOR UPDATE""",
        streams,
    )


def locked(told: Told) -> dict[str, Head]:
    """Streams that do not exist yet have no head and no lock: `append` finds out whether somebody else began them."""
    return {stream: Head(*rest) for stream, *rest in told["heads"]}


async def load(connection: asyncpg.Connection, after: Mapping[str, int]) -> list[Stored]:
    """The events of each stream behind the given version, in order of version."""
    rows = await connection.fetch(
        """SELECT e.stream, e.version, e.type, e.value, e.headers
           FROM unnest($1::text[], $2::integer[]) AS wanted(stream, version)
           CROSS JOIN LATERAL (
               SELECT * FROM event WHERE event.stream = wanted.stream AND event.version > wanted.version OFFSET 0
           ) AS e
           ORDER BY e.stream, e.version""",
        list(after.keys()),
        list(after.values()),
    )
    return [_stored(row) for row in rows]


def _stored(row: asyncpg.Record) -> Stored:
    agency = dict(envelope.split(row["headers"]))["ce_agency"]
    return Stored(row["stream"], row["version"], catalog.decode(row["type"], row["value"]), agency)


def record(stamp: Stamp, stream: str, head: Head, event: Event, origin: Origin) -> Record:
    """The next event of a stream as it will stand in the log.

    `recorded_at` is the later of the stamp's and the head's, so that it never goes back within a stream.
    Raises Rejected event_too_large when Kafka could not take it.
    """
    value = catalog.encode(event)
    told = envelope.Envelope(
        id=ids.new_uuid(),
        type=event.type,
        source=f"/siao/{stamp.service}",
        recorded_at=max(stamp.now, head.recorded_at),
        stream=stream,
        version=head.version + 1,
        occurred_on=event.occurred_on,
        agency=origin.agency,
        actor=origin.actor,
        command_id=origin.command_id,
        clock=stamp.clock,
        prev_hash=head.hash,
        reported_on=origin.reported_on,
        correlation_id=origin.correlation_id,
        causation_id=origin.causation_id,
        traceparent=origin.traceparent,
    )
    headers = envelope.canonical(envelope.headers(told))
    if len(value) + len(headers) + ROOM_FOR_RECORD_FORMAT > MAX_MESSAGE_BYTES:
        raise Rejected("event_too_large", limit=MAX_MESSAGE_BYTES)
    digest = envelope.chain_hash(headers, value)
    return Record(told.id, stream, told.version, event.type, told.recorded_at, headers, value, digest)


def append(statement: Statement, records: Sequence[Record], kind: Clock) -> None:
    """Has it write `records`, move the heads and fill the outbox; and note that an event of the real clock is here, if
    that is the `kind`, which locks nothing once noted.

    Records of one stream stand in order of version. It raises asyncpg.UniqueViolationError when somebody else has
    written one of the versions meanwhile; PostgreSQL has then ended the transaction: load again and decide again.
    """
    statement.add(
        "appended",
        _APPEND,
        *columns((r.stream, r.version, r.id, r.type, _partition_of(r.stream)) for r in records),
        *columns((r.recorded_at, r.headers, r.value, r.hash) for r in records),
    )
    statement.add("queued", "INSERT INTO outbox SELECT seq FROM appended")
    statement.add("moved", _MOVE)
    if kind == "real":
        statement.add("marked", "UPDATE clock SET kind = 'real' WHERE one AND kind <> 'real'")


@lru_cache(maxsize=10_000)
def _partition_of(stream: str) -> int:
    return partition_of(envelope.key_of(stream))


_APPEND = """
    INSERT INTO event (stream, version, id, type, partition, recorded_at, headers, value, hash)
    SELECT stream, version, id, type, partition, recorded_at, headers, value, hash
    FROM unnest($1::text[], $2::integer[], $3::text[]::uuid[], $4::text[], $5::smallint[],
                $6::timestamptz[], $7::bytea[], $8::bytea[], $9::text[]) WITH ORDINALITY
         AS n(stream, version, id, type, partition, recorded_at, headers, value, hash, place)
    ORDER BY place
    RETURNING seq, stream, version, hash, recorded_at"""

_MOVE = """
    INSERT INTO head
    SELECT DISTINCT ON (stream) stream, version, hash, recorded_at FROM appended ORDER BY stream, version DESC
    ON CONFLICT (stream) DO UPDATE
    SET version = excluded.version, hash = excluded.hash, recorded_at = excluded.recorded_at"""
