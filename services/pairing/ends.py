"""Has pairs end in answer to what was followed.

An end is a command like any other, decided in the transaction that notes what it answers: both are there, or neither.
Its id follows from the event's, so whatever is killed it happens once.
"""

from collections.abc import Iterable, Mapping, Sequence

import asyncpg

from services.pairing.api import Desk
from shared.commands.batch import Batch
from shared.commands.desk import States
from shared.commands.reading import Submission
from shared.errors import Rejected
from shared.events.base import HouseholdId
from shared.events.envelope import Envelope
from shared.events.pairing import EndPair
from shared.eventstore import clock, store
from shared.runtime import ids
from shared.runtime.auth import Role
from shared.runtime.keyed import Keyed
from shared.runtime.settings import Settings
from shared.runtime.statement import Statement

ACTOR = "pairing-follower"


class Ends:
    def __init__(self, settings: Settings) -> None:
        self._desk, self._keyed = Desk(settings), Keyed(settings.key("body.key"))

    async def settle(
        self, connection: asyncpg.Connection, told: Envelope, commands: Mapping[str, EndPair]
    ) -> str | None:
        """`commands` by their ids, in answer to the event `told`. Answers why some were refused, or None."""
        if not commands:
            return None
        if self._desk.clock == "simulated":
            await clock.advance(connection, told.recorded_at)
        ends = [self._submission(told, *command) for command in commands.items()]
        outcomes = await Batch(connection, self._desk, States()).settle(ends)
        refused = [outcome.code for outcome in outcomes if isinstance(outcome, Rejected)]
        return f"pairs did not end: {', '.join(refused)}" if refused else None

    def _submission(self, told: Envelope, command_id: str, command: EndPair) -> Submission:
        origin = store.Origin(
            told.agency,
            ACTOR,
            command_id,
            correlation_id=told.correlation_id,
            traceparent=told.traceparent,
            causation_id=told.id,
        )
        digest = self._keyed.digest(command.model_dump_json().encode())
        return Submission(command, origin, Role.AGENCY, digest, ids.random_part())


async def whole(connection: asyncpg.Connection, household: HouseholdId) -> Sequence[HouseholdId]:
    """Itself, and all that are one with it by now."""
    return [row["household"] for row in await connection.fetch(_WHOLE, household)]


async def lock(connection: asyncpg.Connection, households: Iterable[HouseholdId]) -> None:
    """Against new pairs until the transaction ends, in the order in which the desk locks: streams, then households."""
    locking, names = Statement(connection), sorted(set(households))
    store.lock(locking, [f"pairing-{household}" for household in names])
    locking.add("households", _LOCK, names)
    await locking.read()


_LOCK = "SELECT household FROM known_household WHERE household = ANY($1::text[]) ORDER BY household FOR UPDATE"

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
