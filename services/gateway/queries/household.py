"""One household: what is known of it now, and every fact behind that. Sealed details stay sealed."""

import json
from typing import Any

import asyncpg

from services.gateway import models
from services.gateway.queries import needs, sql
from shared import places
from shared.errors import Rejected

MASK = "•••••"
"""Stands where a personal detail is sealed."""

_NOW = sql("household")
_PAIRS = """
-- Who looks after a household now. $1 household.
SELECT helper, role FROM caseload_ledger WHERE key = $1
GROUP BY helper, role HAVING sum(delta) > 0 ORDER BY role, helper
"""
_STREAMS = """
-- The household's streams, and whether one of them waits. $1 household.
SELECT stream, version, state FROM stream_head WHERE key = $1 ORDER BY stream
"""
_FACTS = """
-- Every fact of a household, in the one order there is. $1 household.
SELECT recorded_at, occurred_on, type, stream, version, agency, value FROM fact
WHERE key = $1 ORDER BY recorded_at, stream, version
"""


async def read(connection: asyncpg.Connection, household: str) -> dict[str, Any]:
    """The fields of a `models.Household` without its standing. Raises Rejected not_found."""
    streams = await connection.fetch(_STREAMS, household)
    if not streams:
        raise Rejected("not_found")
    now = await connection.fetchrow(_NOW, household)
    village = now and now["village"]
    return {
        "household": household,
        "village": village,
        "place_name": models.text(places.name_of(village)) if village else None,
        "cohort": now and now["cohort"],
        "household_class": now and now["household_class"],
        "needs": (await needs.read(connection, [household]))[household],
        "pairs": [models.Pair(**dict(row)) for row in await connection.fetch(_PAIRS, household)],
        "incomplete": any(row["state"] != "ok" for row in streams),
        "streams": {row["stream"]: row["version"] for row in streams},
        "history": [_entry(row) for row in await connection.fetch(_FACTS, household)],
    }


def _entry(row: asyncpg.Record) -> models.HistoryEntry:
    return models.HistoryEntry(**{**row, "data": masked(json.loads(row["value"]))})


def masked(data: Any) -> Any:
    """`data` with a mark in place of every sealed detail."""
    match data:
        case dict():
            return {name: MASK if name.endswith("sealed") else masked(part) for name, part in data.items()}
        case list():
            return [masked(part) for part in data]
        case _:
            return data
