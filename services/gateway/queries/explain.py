"""Why a figure changed: the facts that moved it between two as-of points, by cause, adding up to the difference."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import asyncpg

from services.gateway.models import AsOf
from services.gateway.queries import coverage, sql
from services.gateway.queries.coverage import Question
from shared.errors import SiaoError

CAUSES: dict[str, str] = {
    "HouseholdRegistered.v1": "registration",
    "HouseholdClassified.v1": "reclassification",
    "NeedsAssessed.v1": "new_need",
    "InterventionDelivered.v1": "new_help",
    "HouseholdRelocated.v1": "move",
    "CaseExited.v1": "exit",
    "HouseholdRecoded.v1": "recoding",
    **dict.fromkeys(
        ("HouseholdMerged.v1", "HouseholdAbsorbed.v1", "HouseholdUnmerged.v1", "HouseholdReleased.v1"), "merge"
    ),
    **dict.fromkeys(
        (
            "HouseholdCorrected.v1",
            "RelocationCorrected.v1",
            "RecodingCorrected.v1",
            "ClassificationCorrected.v1",
            "AssessmentCorrected.v1",
            "HouseholdEntryVoided.v1",
            "InterventionCorrected.v1",
            "InterventionVoided.v1",
            "CaseExitCorrected.v1",
            "CaseExitVoided.v1",
        ),
        "correction",
    ),
}
"""Type of a fact -> what it says caused a change. Every type that can move coverage is here (a test says so).

An assessment that says that a need does not last causes "need_ended" in that dimension (explain.sql). One that finds a
household again that was away causes "new_need" in all others that count again.
"""

MEASURES = ("reached", "need", "resolved", "unreached", "outside_need")
Sums = Counter[str]
"""Measure -> households."""

_EFFECT = sql("explain")
_SUMS = """
-- Of each cause: how many facts of how many households, and what they come to together.
SELECT cause, count(DISTINCT key) AS households, count(DISTINCT (stream, version)) AS facts,
       sum(need)::bigint AS need, sum(reached)::bigint AS reached, sum(resolved)::bigint AS resolved,
       sum(unreached)::bigint AS unreached, sum(outside_need)::bigint AS outside_need
FROM effect GROUP BY cause ORDER BY cause
"""
_FACTS = """
-- Of each cause the facts in their order, $12 at most, without the first $13.
SELECT * FROM (
    SELECT *, row_number() OVER (PARTITION BY cause ORDER BY recorded_at, stream, version, key) AS place FROM effect
) AS listed
WHERE place > $13::bigint AND place <= $13::bigint + $12::bigint ORDER BY cause, place
"""


class DoesNotAddUp(SiaoError):
    """What moved a figure is not what it moved by: a table is wrong, and nobody may be told either number."""


@dataclass(frozen=True)
class Moved:
    """One fact of one household, and by how much it moved each measure."""

    household: str
    event: str
    type: str
    occurred_on: date
    recorded_at: datetime
    sums: Sums


@dataclass(frozen=True)
class Cause:
    name: str
    households: int
    facts: int
    sums: Sums


@dataclass(frozen=True)
class Explanation:
    """Of the figures of an area, all dimensions that were asked for together."""

    before: Sums
    after: Sums
    causes: list[Cause]


async def read(connection: asyncpg.Connection, question: Question, start: AsOf, end: AsOf) -> Explanation:
    """`question.place` is the area. Raises DoesNotAddUp."""
    before, after = await _figure(connection, question, start), await _figure(connection, question, end)
    rows = await _ask(connection, _SUMS, question, start, end)
    causes = [Cause(row["cause"], row["households"], row["facts"], _sums(row)) for row in rows]
    check(before, after, causes)
    return Explanation(before, after, causes)


async def facts(
    connection: asyncpg.Connection, question: Question, start: AsOf, end: AsOf, page: tuple[int, int]
) -> dict[str, list[Moved]]:
    """Cause -> its facts. `page`: how many at most, and how many before them are left out."""
    found: dict[str, list[Moved]] = {}
    for row in await _ask(connection, _FACTS, question, start, end, *page):
        told = (row["key"], str(row["event_id"]), row["type"], row["occurred_on"], row["recorded_at"])
        found.setdefault(row["cause"], []).append(Moved(*told, _sums(row)))
    return found


async def _ask(
    connection: asyncpg.Connection, query: str, question: Question, start: AsOf, end: AsOf, *page: int
) -> list[asyncpg.Record]:
    if start.known_at is None or end.known_at is None:  # nothing is recorded at all
        return []
    of = (question.definition, question.place, question.dimension, question.cohort, question.household_class)
    points = (start.valid_on, start.known_at, end.valid_on, end.known_at)
    return list(await connection.fetch(_EFFECT + query, *of, *points, list(CAUSES), list(CAUSES.values()), *page))


async def _figure(connection: asyncpg.Connection, question: Question, as_of: AsOf) -> Sums:
    rows = [_sums(row) for row in await coverage.rows(connection, question, as_of)]
    return total(rows)


def _sums(row: Any) -> Sums:
    return Counter({measure: row[measure] for measure in MEASURES})


def total(several: Iterable[Sums]) -> Sums:
    sums: Sums = Counter()
    for one in several:
        sums.update(one)
    return sums


def check(before: Sums, after: Sums, causes: Iterable[Cause]) -> None:
    """Raises DoesNotAddUp."""
    explained = total(cause.sums for cause in causes)
    for measure in MEASURES:
        if before[measure] + explained[measure] != after[measure]:
            raise DoesNotAddUp(f"{measure}: {before[measure]} + {explained[measure]} is not {after[measure]}")
