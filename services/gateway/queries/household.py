"""One household: what is known of it, and every fact behind that. Sealed details stay sealed.

As of a past day it is summed from its rows in the ledgers, which is a fold of the facts known then (a property of the
engine, tests/unit/test_engine_promises.py).
"""

import json
from collections.abc import Sequence
from typing import Any

import asyncpg

from services.gateway import models
from services.gateway.labels import VOID_REASONS
from services.gateway.queries import bounds, merges, needs, sql
from shared import places
from shared.errors import Rejected
from shared.events.codes import VoidReason
from shared.events.registry import HouseholdEntryVoided

REGISTRATION = 1
"""Its version in the stream of a household."""
MASK = "•••••"
"""Stands where a personal detail is sealed."""

_NOW = sql("household")
_PAIRS = """
-- Who looks after a household. $1 household; $2 valid on, $3 known at; null: now.
SELECT helper, role FROM caseload_ledger
WHERE key = $1 AND valid_on <= coalesce($2::date, 'infinity') AND recorded_at <= coalesce($3::timestamptz, 'infinity')
GROUP BY helper, role HAVING sum(delta) > 0 ORDER BY role, helper
"""
_STREAMS = """
-- The households' streams, and whether one of them waits. $1 households.
SELECT key, stream, version, state FROM stream_head WHERE key = ANY ($1) ORDER BY stream
"""
_FACTS = """
-- Every fact of a household, in the one order there is. $1 household; $2 known at; null: now.
SELECT recorded_at, occurred_on, type, stream, version, agency, value FROM fact
WHERE key = $1 AND recorded_at <= coalesce($2::timestamptz, 'infinity') ORDER BY recorded_at, stream, version
"""


async def read(connection: asyncpg.Connection, household: str, as_of: models.AsOf | None = None) -> dict[str, Any]:
    """The fields of a `models.Household` without its standing. Raises Rejected not_found."""
    survivor, absorbed = await merges.read(connection, household, as_of.known_at if as_of else None)
    streams = await connection.fetch(_STREAMS, [household, survivor, *absorbed])
    facts = await connection.fetch(_FACTS, household, as_of.known_at if as_of else None)
    own = [row for row in streams if row["key"] == household]
    if not own or (as_of and not facts):
        raise Rejected("not_found")
    now = await connection.fetchrow(_NOW, survivor, *bounds(as_of))
    village = now and now["village"]
    voided = _voided(facts)
    return {
        "household": household,
        "merged_into": survivor if survivor != household else None,
        "absorbed": absorbed if survivor == household else [],
        "voided": models.Text(**VOID_REASONS[voided]._asdict()) if voided else None,
        "village": village,
        "place_name": models.text(places.name_of(village)) if village else None,
        "cohort": now and now["cohort"],
        "household_class": now and now["household_class"],
        "needs": (await needs.read(connection, [survivor], as_of))[survivor],
        "pairs": [models.Pair(**dict(row)) for row in await connection.fetch(_PAIRS, survivor, *bounds(as_of))],
        "incomplete": any(row["state"] != "ok" for row in streams),
        "streams": {row["stream"]: row["version"] for row in (facts if as_of else own)},
        "history": [_entry(row) for row in facts],
    }


async def where_now(connection: asyncpg.Connection, household: str) -> str | None:
    """The village that decides who may read it, whatever day is asked about; None where it is not counted now."""
    survivor, _ = await merges.read(connection, household)
    row = await connection.fetchrow(_NOW, survivor, *bounds(None))
    return row and str(row["village"])


def _voided(facts: Sequence[asyncpg.Record]) -> VoidReason | None:
    """Why the household never was; None where it is one."""
    told = (json.loads(row["value"]) for row in facts if row["type"] == HouseholdEntryVoided.type)
    return next((VoidReason(data["reason"]) for data in told if data["voids"] == REGISTRATION), None)


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
