"""Follows the registry, and reacts: when two households with a lead helper each are merged, one lead pair ends.

The end is a command like any other, decided in the transaction that notes the merger: both are there, or neither. Its
id follows from the event's, so whatever is killed it happens once.
"""

from collections.abc import Sequence
from datetime import date

import asyncpg
from starlette.applications import Starlette

from services.pairing.api import Desk
from shared.commands.batch import Batch
from shared.commands.desk import States
from shared.commands.reading import Submission
from shared.errors import Rejected
from shared.events.base import HelperId, HouseholdId
from shared.events.codes import EndReason
from shared.events.envelope import Envelope
from shared.events.pairing import EndPair
from shared.events.registry import HouseholdMerged
from shared.eventstore import clock, store
from shared.runtime import follower, ids
from shared.runtime.auth import Role
from shared.runtime.keyed import Keyed
from shared.runtime.settings import Settings
from shared.runtime.statement import Statement

ACTOR = "pairing-follower"

Lead = tuple[HouseholdId, HelperId, date]
"""A household, who leads it, and since when."""


def app(settings: Settings) -> Starlette:
    return follower.app(settings, Reaction(settings))


class Reaction:
    """Ends the lead pair of a household that was merged into one which has a lead, and leaves it where that has none:
    the helper then goes on with the household that remains."""

    def __init__(self, settings: Settings) -> None:
        self._desk, self._keyed = Desk(settings), Keyed(settings.key("body.key"))

    async def __call__(self, connection: asyncpg.Connection, told: Envelope, merged: HouseholdMerged) -> str | None:
        leaving, remaining = await _leads(connection, merged)
        if not (leaving and remaining):
            return None
        if self._desk.clock == "simulated":
            await clock.advance(connection, told.recorded_at)
        ends = [self._end(told, merged, *lead) for lead in leaving]
        outcomes = await Batch(connection, self._desk, States()).settle(ends)
        refused = [outcome.code for outcome in outcomes if isinstance(outcome, Rejected)]
        return f"pairs did not end: {', '.join(refused)}" if refused else None

    def _end(
        self, told: Envelope, merged: HouseholdMerged, household: HouseholdId, helper: HelperId, since: date
    ) -> Submission:
        command = EndPair(
            occurred_on=max(merged.occurred_on, since),
            household=household,
            helper=helper,
            reason=EndReason.HOUSEHOLD_MERGED,
        )
        origin = store.Origin(
            told.agency,
            ACTOR,
            f"merged-{told.id}-{household}",
            correlation_id=told.correlation_id,
            traceparent=told.traceparent,
            causation_id=told.id,
        )
        digest = self._keyed.digest(command.model_dump_json().encode())
        return Submission(command, origin, Role.AGENCY, digest, ids.random_part())


async def _leads(connection: asyncpg.Connection, merged: HouseholdMerged) -> tuple[Sequence[Lead], Sequence[Lead]]:
    """Who leads the household that was merged, with all that was merged into it before, and who the one that remains.

    Locked against new pairs until the transaction ends, in the order in which the desk locks: streams, then households.
    """
    leaving = await connection.fetch(_PARTS, merged.household)
    remaining = await connection.fetch(_WHOLE, merged.into)
    households = sorted({row["household"] for row in (*leaving, *remaining)})
    locking = Statement(connection)
    store.lock(locking, [f"pairing-{household}" for household in households])
    locking.add("households", _LOCK, households)
    await locking.read()
    rows: Sequence[Lead] = [tuple(row) for row in await connection.fetch(_LEADS, households)]
    parts = {row["household"] for row in leaving}
    return [lead for lead in rows if lead[0] in parts], [lead for lead in rows if lead[0] not in parts]


_LOCK = "SELECT household FROM known_household WHERE household = ANY($1::text[]) ORDER BY household FOR UPDATE"

_LEADS = """
    SELECT household, helper, since FROM lead WHERE household = ANY($1) AND until IS NULL ORDER BY household"""

_PARTS = """
    WITH RECURSIVE part(household) AS (
        SELECT $1::text
        UNION
        SELECT k.household FROM known_household k JOIN part ON k.merged_into = part.household)
    SELECT household FROM part"""

_WHOLE = """
    WITH RECURSIVE above(household) AS (
        SELECT $1::text
        UNION
        SELECT k.merged_into FROM known_household k JOIN above USING (household) WHERE k.merged_into IS NOT NULL),
    part(household) AS (
        SELECT household FROM above
        UNION
        SELECT k.household FROM known_household k JOIN part ON k.merged_into = part.household)
    SELECT household FROM part"""
