"""The relay's tables: `outbox`, what is not acknowledged yet; `relay_position`, where the last acknowledged stands."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import asyncpg

from shared.eventstore.publisher import COLUMNS, Ack
from shared.runtime.postgres import columns

ROUND = 2_000
"""Most events that are published and not yet acknowledged."""

ROUND_BYTES = 16 << 20
"""Where events are large, a round ends behind the one that exceeds this, so that memory stays bounded."""

MOST_COUNTED = 10_000


@dataclass(frozen=True, slots=True)
class Position:
    offset: int
    event_id: UUID
    lost_from: int | None = None
    """Where the log ended when last it had lost its tail (restore.py)."""
    restored_to: int | None = None
    """Where it ended when everything was there again; None until then."""

    @property
    def restoring(self) -> bool:
        return self.lost_from is not None and self.restored_to is None


Positions = dict[int, Position]
"""By partition; one without a row was never acknowledged anything."""


def _events(seqs: str) -> str:
    """OFFSET 0 keeps the planner at one index look-up a row, whatever it believes of the outbox's size: joined by
    merging or hashing, it would read the whole log for each round."""
    return f"""
        SELECT {COLUMNS} FROM (
            SELECT e.*, sum(octet_length(value)) OVER (ORDER BY e.seq) - octet_length(value) AS bytes_before
            FROM ({seqs}) AS wanted CROSS JOIN LATERAL (SELECT * FROM event WHERE seq = wanted.seq OFFSET 0) AS e
        ) AS measured
        WHERE bytes_before < {ROUND_BYTES} ORDER BY seq"""  # noqa: S608


WAITING = _events("SELECT seq FROM outbox ORDER BY seq LIMIT $1")
ACKNOWLEDGED = _events(
    "SELECT given.seq FROM unnest($1::bigint[]) AS given(seq) LEFT JOIN outbox USING (seq) WHERE outbox IS NULL"
)


async def waiting(connection: asyncpg.Connection) -> list[asyncpg.Record]:
    """The first rows of the outbox with their events (COLUMNS), in order of `seq`.

    A row that commits late is seen late, and overtakes nothing: its stream's next version was numbered after it.
    """
    rows: list[asyncpg.Record] = await connection.fetch(WAITING, ROUND)
    return rows


async def backlog(connection: asyncpg.Connection) -> tuple[int, datetime | None]:
    """How many rows wait, counted up to MOST_COUNTED, and the oldest `recorded_at` of the counted."""
    row = await connection.fetchrow(
        """SELECT count(*), min(e.recorded_at)
           FROM (SELECT seq FROM outbox ORDER BY seq LIMIT $1) AS counted
           CROSS JOIN LATERAL (SELECT recorded_at FROM event WHERE seq = counted.seq OFFSET 0) AS e""",
        MOST_COUNTED,
    )
    return row[0], row[1]


async def acknowledged(connection: asyncpg.Connection, seqs: Sequence[int]) -> list[asyncpg.Record]:
    """The first of these events (COLUMNS), those in the outbox left out; `seqs` ascending."""
    rows: list[asyncpg.Record] = await connection.fetch(ACKNOWLEDGED, seqs[:ROUND])
    return rows


async def unknown(connection: asyncpg.Connection, told: Iterable[tuple[UUID | None, str, int]]) -> int:
    """How many of these (event id, stream, version) the store does not hold."""
    count: int = await connection.fetchval(
        """SELECT count(*) FROM unnest($1::uuid[], $2::text[], $3::bigint[]) AS told(id, stream, version)
           LEFT JOIN event ON event.stream = told.stream AND event.version = told.version AND event.id = told.id
           WHERE event IS NULL""",
        *columns(told),
    )
    return count


async def first(connection: asyncpg.Connection, partition: int) -> asyncpg.Record | None:
    """The first event (COLUMNS) of a partition."""
    return await connection.fetchrow(
        f"SELECT {COLUMNS} FROM event WHERE partition = $1 ORDER BY seq LIMIT 1",  # noqa: S608
        partition,
    )


async def acknowledge(connection: asyncpg.Connection, acks: Sequence[Ack]) -> Positions:
    """Takes the rows out of the outbox and notes the positions, both or neither; answers the positions."""
    reached = {ack.partition: Position(ack.last, ack.last_id) for ack in acks}
    if not reached:
        return reached
    await connection.execute(
        f"WITH gone AS (DELETE FROM outbox WHERE seq = ANY($4::bigint[])) {_NOTE}",  # noqa: S608
        *_columns(reached.items()),
        [seq for ack in acks for seq in ack.seqs],
    )
    return reached


async def positions(connection: asyncpg.Connection) -> Positions:
    rows = await connection.fetch('SELECT partition, "offset", event_id, lost_from, restored_to FROM relay_position')
    return {row["partition"]: Position(*row[1:]) for row in rows}


async def note(connection: asyncpg.Connection, reached: Positions) -> None:
    """Moves positions; what they say of losses stays."""
    if reached:
        await connection.execute(_NOTE, *_columns(reached.items()))


async def note_loss(connection: asyncpg.Connection, partition: int, at: Position) -> None:
    await connection.execute(
        """UPDATE relay_position SET "offset" = $2, event_id = $3, lost_from = $4, restored_to = $5
           WHERE partition = $1""",
        partition,
        at.offset,
        at.event_id,
        at.lost_from,
        at.restored_to,
    )


def _columns(reached: Iterable[tuple[int, Position]]) -> list[Sequence[Any]]:
    return columns((partition, at.offset, at.event_id) for partition, at in reached)


_NOTE = """
    INSERT INTO relay_position (partition, "offset", event_id)
    SELECT * FROM unnest($1::smallint[], $2::bigint[], $3::uuid[])
    ON CONFLICT (partition) DO UPDATE SET "offset" = excluded."offset", event_id = excluded.event_id"""
