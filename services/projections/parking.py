"""Streams in the database: where each ends, what of it is parked, and what nobody can read."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import asyncpg

from services.projections.decode import partition_of, read
from services.projections.facts import Arrived, At, Unreadable
from services.projections.sql import QUERIES, Part
from services.projections.streams import Head, Record, Slot, Stream
from services.projections.tables import mark_incomplete
from shared.events import envelope
from shared.runtime.postgres import columns

PARKED = ["stream", "version", "hash", "key", "reason", "topic", "partition", "offset", "headers", "value"]
HEAD = ["stream", "key", "partition", "version", "hash", "state", "reason"]
QUARANTINE_BYTES = 65_536
"""Kept of an unreadable record's headers, and of its value."""

OUT_OF_ORDER = "out of order"
"""What waited for a record of the same batch: folded rightly, and yet somebody should look at who writes the log so."""


@dataclass(frozen=True)
class Sorted:
    """What came of some records."""

    folded: list[Arrived]
    """May be folded now; of one stream, in order of version."""
    repeated: int
    parked: Counter[str]
    """Reason -> how many records were parked now."""
    touched: set[str]
    """Keys of which something is parked, or was."""
    heads: list[Part]
    """What stores where the streams now end."""


@dataclass(frozen=True)
class _Stored:
    """A parked record in the shape in which the log delivered it."""

    topic: str
    partition: int
    offset: int
    key: bytes
    value: bytes
    headers: Sequence[tuple[str, bytes]]


def by_stream(records: Iterable[Record]) -> dict[str, list[Record]]:
    """Those that name one."""
    named = defaultdict(list)
    for record in records:
        if record.stream:
            named[record.stream].append(record)
    return named


async def sort_in(
    connection: asyncpg.Connection,
    records: Sequence[Record],
    named: Mapping[str, Sequence[Record]],
    heads: Mapping[str, tuple[Head, bool]],
) -> Sorted:
    """Puts each record where it belongs: among the facts, among the parked, in quarantine, or nowhere as a repeat.

    `named`: the records by stream. `heads`: what is known of those streams (tables.Stored).
    """
    unreadable = [record for record in records if isinstance(record, Unreadable)]
    if unreadable:
        await _quarantine(connection, unreadable)
    streams = await _load(connection, named, heads)
    before = {name: set(stream.waiting) for name, stream in streams.items() if stream.waiting}
    for name, stream in streams.items():
        stream.take(named[name])
    folded = [arrived for stream in streams.values() for arrived in stream.folded]
    await _save(connection, streams, before)
    saved = [_head(name, stream) for name, stream in sorted(streams.items())]
    return Sorted(
        folded,
        sum(stream.repeated for stream in streams.values()),
        Counter(
            stream.reason(stream.waiting[slot]) if slot in stream.waiting else OUT_OF_ORDER
            for stream in streams.values()
            for slot in stream.waited
            if slot in stream.waiting or stream.known.get(slot[0]) == slot[1]
        ),
        {envelope.key_of(name) for name, stream in streams.items() if stream.waiting or name in before},
        [Part.named("save_heads", *columns(saved))] if saved else [],
    )


async def keep(connection: asyncpg.Connection, streams: Mapping[str, Stream], unreadable: Sequence[Unreadable]) -> None:
    """What is known of streams that nothing was known of."""
    if unreadable:
        await _quarantine(connection, unreadable)
    heads = [_head(name, stream) for name, stream in streams.items()]
    await connection.copy_records_to_table("stream_head", records=heads, columns=HEAD)
    await _park(connection, streams)


async def forget(connection: asyncpg.Connection, topic: str, partition: int, offset: int) -> bool:
    """What stood at `offset` or behind it in the log, as if it had never come. Whether there was anything."""
    gone = await connection.fetch(QUERIES["unpark"], topic, partition, offset)
    if gone:
        streams, keys = ([*set(names)] for names in columns(map(tuple, gone)))
        await connection.execute(QUERIES["look_again"], streams)
        await connection.execute(QUERIES["forget_unknown"], streams)
        await mark_incomplete(connection, keys)
        await connection.execute(QUERIES["forget_blank"], keys)
    return bool(gone)


async def _load(
    connection: asyncpg.Connection, named: Mapping[str, Sequence[Record]], heads: Mapping[str, tuple[Head, bool]]
) -> dict[str, Stream]:
    """The streams of these records, ready to take them."""
    streams = {name: Stream(heads[name][0]) if name in heads else Stream() for name in named}
    parked = [name for name, (_, is_parked) in heads.items() if is_parked]
    again = [(name, r.version) for name, rs in named.items() for r in rs if r.version <= streams[name].head.version]
    if again:
        for name, version, digest in await connection.fetch(QUERIES["known"], *columns(again)):
            streams[name].known[version] = digest
    if parked:
        for row in await connection.fetch(QUERIES["parked_of"], parked):
            streams[row["stream"]].waiting[row["version"], row["hash"]] = unparked(row)
    return streams


def unparked(row: Mapping[str, Any]) -> Record:
    """Read again: what an older worker could not read, this one may. What is not altered came with the hash that it is
    stored under."""
    at, headers, value = At(row["topic"], row["partition"], row["offset"]), row["headers"], row["value"]
    if row["reason"] == "altered":
        return Unreadable(at, row["stream"], row["version"], row["hash"], headers, value, "altered", "")
    told = [(name, text.encode()) for name, text in envelope.split(headers)]
    return read(_Stored(*at, row["key"].encode(), value, [*told, ("ce_hash", row["hash"].encode())]))


async def _save(connection: asyncpg.Connection, streams: Mapping[str, Stream], before: Mapping[str, set[Slot]]) -> None:
    """`before`: what each stream had parked."""
    freed = [(name, *slot) for name, slots in before.items() for slot in slots - streams[name].waiting.keys()]
    if freed:
        await connection.execute(QUERIES["forget_parked"], *columns(freed))
    await _park(connection, streams)


async def _park(connection: asyncpg.Connection, streams: Mapping[str, Stream]) -> None:
    waiting = [parked_row(name, stream, r) for name, stream in streams.items() for r in stream.waiting.values()]
    if waiting:
        await connection.execute(QUERIES["park"], *columns(waiting))


def _head(name: str, stream: Stream) -> tuple[object, ...]:
    state, reason = "ok", None
    if stream.waiting:
        state, reason = "parked", stream.reason(stream.waiting[min(stream.waiting)])
    key = envelope.key_of(name)
    return name, key, partition_of(key), *stream.head, state, reason


def parked_row(name: str, stream: Stream, record: Record) -> tuple[object, ...]:
    """The columns of PARKED."""
    place = (name, record.version, record.hash, envelope.key_of(name), stream.reason(record))
    return *place, *record.at, record.headers, record.value


async def _quarantine(connection: asyncpg.Connection, records: Iterable[Unreadable]) -> None:
    rows = [(*r.at, r.reason, r.stream or None, r.version or None, len(r.value), *_cut(r)) for r in records]
    await connection.execute(QUERIES["quarantine"], *columns(rows))


def _cut(record: Unreadable) -> tuple[bytes, bytes]:
    return record.headers[:QUARANTINE_BYTES], record.value[:QUARANTINE_BYTES]
