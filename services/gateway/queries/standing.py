"""Where in the log an answer stands, and whether it is fresh."""

from collections.abc import Sequence
from datetime import datetime, timedelta

import asyncpg

from services.gateway.asof import Asked
from services.gateway.models import AsOf, Standing
from services.gateway.queries import sql
from shared.thai import BANGKOK

STALE_AFTER = timedelta(seconds=60)
"""Figures are marked stale when a service's watermark has not been heard of, or not moved, for so long."""

_STANDING = sql("standing")


async def read(connection: asyncpg.Connection, asked: Asked | None = None) -> Standing:
    """Now, or as of the point that was asked for. Raises Rejected known_at_in_future or date_in_future."""
    return told(await connection.fetchrow(_STANDING), asked)


def told(row: asyncpg.Record, asked: Asked | None = None) -> Standing:
    """The same of a row with the columns of standing.sql."""
    newest, mark = row["newest"], row["mark"]
    heard = [moment for moment in (newest, mark) if moment]
    as_of = AsOf(valid_on=max(heard, default=row["now"]).astimezone(BANGKOK).date(), known_at=newest)
    if asked:
        as_of = asked.resolve(_now(row, heard), as_of)
    final: datetime | None = mark and min(mark, row["since"] or mark)
    return Standing(
        as_of=as_of,
        position={service: row[service] for service in ("registry", "pairing", "interventions")},
        newest_fact=newest,
        watermark=mark,
        provisional=final is None or as_of.known_at is None or as_of.known_at >= final,
        stale=_stale(row),
        awaits_rebuild=row["awaits_rebuild"],
        generation=row["generation"],
    )


def _now(row: asyncpg.Record, heard: Sequence[datetime]) -> datetime:
    """By the clock by which events are recorded. It never goes back, and the machine's may: what is recorded already,
    and what a service has announced, is not of the future (shared/eventstore/clock.py)."""
    announced = [row["announced"]] if row["announced"] else []
    machine = [row["now"]] if row["real"] or not heard else []
    now: datetime = max([*machine, *heard, *announced])
    return now


def _stale(row: asyncpg.Record) -> bool:
    """A simulated clock stands still between two commands, so only a real one can tell how old a mark is."""
    oldest = row["now"] - STALE_AFTER
    if row["mark"] is None or row["heard"] < oldest:
        return True
    return bool(row["real"] and row["mark"] < oldest)
