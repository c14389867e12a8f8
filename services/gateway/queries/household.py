"""One household: what is known of it, and every fact behind that. Sealed details stay sealed.

As of a past day it is summed from its rows in the ledgers, which is a fold of the facts known then (a property of the
engine, tests/unit/test_engine_promises.py).
"""

import json
from collections.abc import Iterable
from datetime import date, datetime
from typing import Any, NamedTuple

import asyncpg

from services.gateway import models
from services.gateway.labels import EXIT_REASONS, VOID_REASONS
from services.gateway.queries import merges, needs, sql
from shared import places
from shared.definitions import DEFAULT
from shared.errors import Rejected
from shared.events.codes import ExitReason, VoidReason
from shared.events.registry import HouseholdEntryVoided

REGISTRATION = 1
"""Its version in the stream of a household."""
MASK = "•••••"
"""Stands where a personal detail is sealed."""

_CARD = sql("household").replace(":needs", sql("needs")).replace(":standing", sql("standing"))
_CARD = _CARD.replace(":merges", sql("merges"))
_NOW, _AS_OF = _CARD.replace(":said", "SELECT * FROM said_now"), _CARD.replace(":said", sql("merges_as_of"))


class Home(NamedTuple):
    """Where and as what a household is, or was, counted."""

    key: str
    village: str
    cohort: str | None
    household_class: str | None
    then: bool
    now: bool


class Fact(NamedTuple):
    recorded_at: datetime
    occurred_on: date
    type: str
    stream: str
    version: int
    agency: str
    value: bytes


async def read(
    source: asyncpg.Pool | asyncpg.Connection,
    household: str,
    valid_on: date | None = None,
    known_at: datetime | None = None,
) -> asyncpg.Record:
    """One statement. Its row also has the columns of standing.sql."""
    return await source.fetchrow(text(known_at), household, known_at, valid_on, DEFAULT)


def text(known_at: datetime | None) -> str:
    return _AS_OF if known_at else _NOW


def card(household: str, row: asyncpg.Record, *, past: bool = False) -> dict[str, Any]:
    """The fields of a `models.Household` without its standing. `past`: as of a point that was asked for.

    Raises Rejected not_found.
    """
    survivor, absorbed = merges.of(household, row["said"])
    facts = [Fact(*fact) for fact in row["facts"]]
    streams = [stream for stream in row["streams"] if stream[0] in (household, survivor, *absorbed)]
    own = {stream: version for key, stream, version, _ in streams if key == household}
    if not own or (past and not facts):
        raise Rejected("not_found")
    home = next((home for home in _homes(row, survivor) if home.then), None)
    voided = _voided(facts)
    return {
        "household": household,
        "merged_into": survivor if survivor != household else None,
        "absorbed": absorbed if survivor == household else [],
        "voided": models.text(VOID_REASONS[voided]) if voided else None,
        "village": home and home.village,
        "place_name": models.text(places.name_of(home.village)) if home else None,
        "cohort": home and home.cohort,
        "household_class": home and home.household_class,
        "exited": next((_exit(*gone) for key, *gone in row["exits"] if key == survivor), None),
        "needs": needs.told(row["needs"])[survivor],
        "pairs": [models.Pair(helper=helper, role=role) for key, helper, role in row["pairs"] if key == survivor],
        "incomplete": any(state != "ok" for *_, state in streams),
        "streams": {fact.stream: fact.version for fact in facts} if past else own,
        "history": [_entry(fact) for fact in facts],
    }


def where_now(household: str, row: asyncpg.Record) -> str | None:
    """The village that decides who may read it, whatever day is asked about; None where it is not counted now."""
    homes = _homes(row, merges.of(household, row["said_now"]).survivor)
    return next((home.village for home in homes if home.now), None)


def _homes(row: asyncpg.Record, survivor: str) -> list[Home]:
    return [Home(*home) for home in row["homes"] if home[0] == survivor]


def _exit(reason: str, since: date) -> models.Exit:
    why = ExitReason(reason)
    return models.Exit(reason=why, name=models.text(EXIT_REASONS[why]), since=since)


def _voided(facts: Iterable[Fact]) -> VoidReason | None:
    """Why the household never was; None where it is one."""
    told = (json.loads(fact.value) for fact in facts if fact.type == HouseholdEntryVoided.type)
    return next((VoidReason(data["reason"]) for data in told if data["voids"] == REGISTRATION), None)


def _entry(fact: Fact) -> models.HistoryEntry:
    return models.HistoryEntry(**fact._asdict() | {"data": masked(json.loads(fact.value))})


def masked(data: Any) -> Any:
    """`data` with a mark in place of every sealed detail."""
    match data:
        case dict():
            return {name: MASK if name.endswith("sealed") else masked(part) for name, part in data.items()}
        case list():
            return [masked(part) for part in data]
        case _:
            return data
