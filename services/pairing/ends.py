"""Has pairs end in answer to what was followed.

An end is a command like any other, decided in the transaction that notes what it answers: both are there, or neither.
Its id follows from the event's, so whatever is killed it happens once.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

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


class End(NamedTuple):
    """A command in answer to the event `told`."""

    told: Envelope
    id: str
    command: EndPair


class Ends:
    def __init__(self, settings: Settings) -> None:
        self._desk, self._keyed = Desk(settings), Keyed(settings.key("body.key"))

    async def settle(self, connection: asyncpg.Connection, ends: Sequence[End]) -> Mapping[str, str]:
        """All at once: see `lock`. Answers why some were refused, by the ids of the events that they answer."""
        if not ends:
            return {}
        if self._desk.clock == "simulated":
            await clock.advance(connection, max(end.told.recorded_at for end in ends))
        outcomes = await Batch(connection, self._desk, States()).settle([self._submission(*end) for end in ends])
        refused: dict[str, set[str]] = defaultdict(set)
        for end, outcome in zip(ends, outcomes, strict=True):
            if isinstance(outcome, Rejected):
                refused[end.told.id].add(outcome.code)
        return {event: f"pairs did not end: {', '.join(sorted(codes))}" for event, codes in refused.items()}

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


async def whole(
    connection: asyncpg.Connection, households: Iterable[HouseholdId]
) -> Mapping[HouseholdId, Sequence[HouseholdId]]:
    """Of each: itself, and all that are one with it by now, sorted."""
    parts: dict[HouseholdId, list[HouseholdId]] = defaultdict(list)
    for of, household in await connection.fetch(_WHOLE, sorted(set(households))):
        parts[of].append(household)
    return parts


async def lock(connection: asyncpg.Connection, households: Iterable[HouseholdId]) -> None:
    """Against new pairs until the transaction ends, in the order in which the desk locks: streams, then households, and
    helpers when the ends are decided. So it is done once a transaction, for all its ends: who holds helpers and asks
    for streams could wait for a desk that waits for those helpers."""
    locking, names = Statement(connection), sorted(set(households))
    store.lock(locking, [f"pairing-{household}" for household in names])
    locking.add("households", _LOCK, names)
    await locking.read()


_LOCK = "SELECT household FROM known_household WHERE household = ANY($1::text[]) ORDER BY household FOR UPDATE"

_WHOLE = """
    WITH RECURSIVE above(of, household) AS (
        SELECT asked, asked FROM unnest($1::text[]) AS asked
        UNION
        SELECT of, k.merged_into FROM known_household k JOIN above USING (household) WHERE k.merged_into IS NOT NULL),
    part(of, household) AS (
        SELECT of, household FROM above
        UNION
        SELECT of, k.household FROM known_household k JOIN part ON k.merged_into = part.household)
    SELECT of, household FROM part ORDER BY of, household"""
