"""Where in the log an answer stands, and whether it is fresh."""

from datetime import datetime, timedelta

import asyncpg

from services.gateway.models import AsOf, Standing
from services.gateway.queries import sql
from shared.thai import BANGKOK

STALE_AFTER = timedelta(seconds=60)
"""Figures are marked stale when a service's watermark has not been heard of, or not moved, for so long."""

_STANDING = sql("standing")


async def read(connection: asyncpg.Connection) -> Standing:
    row = await connection.fetchrow(_STANDING)
    newest, mark = row["newest"], row["mark"]
    latest: datetime = max((moment for moment in (newest, mark) if moment), default=row["now"])
    return Standing(
        as_of=AsOf(valid_on=latest.astimezone(BANGKOK).date(), known_at=newest),
        position={service: row[service] for service in ("registry", "pairing", "interventions")},
        newest_fact=newest,
        watermark=mark,
        provisional=mark is None or newest is None or newest >= mark,
        stale=_stale(row),
    )


def _stale(row: asyncpg.Record) -> bool:
    """A simulated clock stands still between two commands, so only a real one can tell how old a mark is."""
    oldest = row["now"] - STALE_AFTER
    if row["mark"] is None or row["heard"] < oldest:
        return True
    return bool(row["real"] and row["mark"] < oldest)
