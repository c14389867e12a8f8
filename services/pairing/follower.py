"""Follows the registry, and reacts: when two households with a lead helper each are merged, one lead pair ends.

What it does about the exits in interventions' topic stands in exits.py.
"""

from collections.abc import Sequence, Set
from datetime import date

import asyncpg
from starlette.applications import Starlette

from services.pairing import ends, exits
from services.pairing.ends import End, Ends
from shared.events.base import HelperId, HouseholdId
from shared.events.codes import EndReason
from shared.events.envelope import Envelope
from shared.events.pairing import EndPair
from shared.events.registry import HouseholdMerged
from shared.events.topics import EVENT_TOPICS
from shared.runtime import follower
from shared.runtime.settings import Settings

Lead = tuple[HouseholdId, HelperId, date]
"""A household, who leads it, and since when."""


def app(settings: Settings) -> Starlette:
    ending = Ends(settings)
    beside = {EVENT_TOPICS["interventions"].name: exits.Reaction(ending)}
    return follower.app(settings, Reaction(ending), beside)


class Reaction:
    """Ends the lead pair of a household that was merged into one which has a lead, and leaves it where that has none:
    the helper then goes on with the household that remains. Had that exited by then, every pair of the other ends."""

    def __init__(self, ends: Ends) -> None:
        self._ends = ends

    async def __call__(self, connection: asyncpg.Connection, told: Envelope, merged: HouseholdMerged) -> str | None:
        parts = {row["household"] for row in await connection.fetch(_PARTS, merged.household)}
        leaving, remaining = await _leads(connection, parts, merged.into)
        if await connection.fetchval(_EXITED, merged.into, merged.occurred_on):
            leaving = await _pairs(connection, parts)
        elif not remaining:
            return None
        refused = await self._ends.settle(connection, [_end(told, merged, *lead) for lead in leaving])
        return refused.get(told.id)


def _end(told: Envelope, merged: HouseholdMerged, household: HouseholdId, helper: HelperId, since: date) -> End:
    day, why = max(merged.occurred_on, since), EndReason.HOUSEHOLD_MERGED
    command = EndPair(occurred_on=day, household=household, helper=helper, reason=why)
    return End(told, f"merged-{told.id}-{household}-{helper}", command)


async def _leads(
    connection: asyncpg.Connection, parts: Set[HouseholdId], into: HouseholdId
) -> tuple[Sequence[Lead], Sequence[Lead]]:
    """Who leads one of `parts`, the household that was merged with all that was merged into it before, and who the one
    that remains; locked until the transaction ends."""
    households = sorted({*parts, *(await ends.whole(connection, [into]))[into]})
    await ends.lock(connection, households)
    rows: Sequence[Lead] = [tuple(row) for row in await connection.fetch(_LEADS, households)]
    return [lead for lead in rows if lead[0] in parts], [lead for lead in rows if lead[0] not in parts]


async def _pairs(connection: asyncpg.Connection, parts: Set[HouseholdId]) -> Sequence[Lead]:
    """Who leads and who supports one of them."""
    active = await exits.active_pairs(connection, parts)
    return [(part, pair.helper, pair.occurred_on) for part in sorted(active) for pair in active[part].values()]


_EXITED = "SELECT 1 FROM exited WHERE household = $1 AND day <= $2"

_LEADS = """
    SELECT household, helper, since FROM lead WHERE household = ANY($1) AND until IS NULL ORDER BY household"""

_PARTS = """
    WITH RECURSIVE part(household) AS (
        SELECT $1::text
        UNION
        SELECT k.household FROM known_household k JOIN part ON k.merged_into = part.household)
    SELECT household FROM part"""
