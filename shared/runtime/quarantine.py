"""Records of the followed topics that were not taken: kept whole and looked at again where that may help (of a fork
until `./siao reconcile`), elsewhere cut and gone after 30 days, as the projections do it with theirs."""

from collections.abc import Iterable, Sequence, Set
from typing import NamedTuple

import asyncpg
from aiokafka import TopicPartition
from prometheus_client import Counter, Gauge

from shared.events import envelope
from shared.events.base import HouseholdId
from shared.runtime import logs
from shared.runtime.postgres import columns
from shared.runtime.registry_log import Aside, Readable

log = logs.get(__name__)
quarantined = Counter("siao_follower_quarantined_total", "Records that were not taken when they came")
kept_now = Gauge("siao_follower_quarantine_records", "Records that were not taken, and are kept")

BYTES = 65_536
"""Kept of the headers, and of the value, of a record that nobody will take."""
EXPIRE_SECONDS = 3600.0


class Kept(NamedTuple):
    partition: int
    offset: int
    headers: Sequence[tuple[str, bytes | None]]
    value: bytes | None
    key: bytes | None = None


async def keep(connection: asyncpg.Connection, topic: str, records: Iterable[Aside]) -> None:
    """One that waits is kept once, however often it comes."""
    for record, reason, waits in records:
        if isinstance(record, Kept) and waits:
            continue
        most = None if waits else BYTES
        quarantined.inc()
        log.error("record_quarantined", partition=record.partition, offset=record.offset, reason=reason)
        await connection.execute(
            """INSERT INTO follower_quarantine
                   (topic, partition, "offset", reason, size, headers, value, household, version, hash)
               VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) ON CONFLICT DO NOTHING""",
            topic,
            record.partition,
            record.offset,
            reason,
            len(record.value or b""),
            b"".join(name.encode() + b"\0" + (value or b"") + b"\0" for name, value in record.headers)[:most],
            record.value and record.value[:most],
            *(waits.slot if waits else (None, None, None)),
        )


async def count(connection: asyncpg.Connection) -> None:
    kept_now.set(await connection.fetchval("SELECT count(*) FROM follower_quarantine"))


async def expire(connection: asyncpg.Connection) -> None:
    await connection.execute(
        "DELETE FROM follower_quarantine WHERE household IS NULL AND expires_at < clock_timestamp()"
    )


async def forget(connection: asyncpg.Connection, place: TopicPartition, since: int) -> None:
    """Of a log that lost its end there: what is published again comes again, perhaps at the same offsets."""
    await connection.execute(
        """DELETE FROM follower_quarantine WHERE topic = $1 AND partition = $2 AND "offset" >= $3""",
        place.topic,
        place.partition,
        since,
    )


async def households(connection: asyncpg.Connection, topic: str) -> set[HouseholdId]:
    """Of which something waits."""
    rows = await connection.fetch(
        "SELECT DISTINCT household FROM follower_quarantine WHERE household IS NOT NULL AND topic = $1", topic
    )
    return {row["household"] for row in rows}


async def waiting(connection: asyncpg.Connection, topic: str, households: Set[HouseholdId]) -> list[Readable]:
    """What waits of these households, in the order of the log."""
    rows = await connection.fetch(
        """SELECT partition, "offset", headers, value FROM follower_quarantine
           WHERE household = ANY($1) AND topic = $2 ORDER BY partition, "offset" """,
        list(households),
        topic,
    )
    return [_readable(row) for row in rows]


def _readable(row: asyncpg.Record) -> Readable:
    named = envelope.split(row["headers"])
    told, digest = envelope.read(named)
    headers = [(name, text.encode()) for name, text in named]
    return Readable(told, digest, Kept(row["partition"], row["offset"], headers, row["value"], told.key.encode()))


async def settle(
    connection: asyncpg.Connection, topic: str, looked_at: Iterable[Readable], aside: Iterable[Aside]
) -> None:
    """Of what was kept and looked at again: forgets what does not wait any more, and notes why the rest does."""
    still = {(one.record.partition, one.record.offset): one.reason for one in aside if one.waits}
    places = [(one.record.partition, one.record.offset) for one in looked_at if isinstance(one.record, Kept)]
    if gone := [place for place in places if place not in still]:
        await connection.execute(
            """DELETE FROM follower_quarantine USING unnest($1::smallint[], $2::bigint[]) AS gone (partition, "offset")
               WHERE topic = $3 AND (follower_quarantine.partition, follower_quarantine."offset")
                     = (gone.partition, gone."offset")""",
            *columns(gone),
            topic,
        )
    if kept := [(*place, still[place]) for place in places if place in still]:
        await connection.execute(
            """UPDATE follower_quarantine AS q SET reason = now.reason
               FROM unnest($1::smallint[], $2::bigint[], $3::text[]) AS now (partition, "offset", reason)
               WHERE q.topic = $4 AND (q.partition, q."offset") = (now.partition, now."offset")
                     AND q.reason <> now.reason""",
            *columns(kept),
            topic,
        )
