"""When a household exits the programme, the pairs that hold on that day end on it: of whoever leads, and who supports.

Policy of ours. A pair that is from a later day on was assigned by who found the household in the programme again, and
lasts. Correcting or voiding an exit does not bring a pair back, nor moves its end: who does so sets the pair right too.
"""

from collections.abc import Sequence
from functools import reduce
from itertools import groupby
from typing import cast

import asyncpg
from aiokafka import ConsumerRecord

from services.pairing import ends
from services.pairing.ends import Ends
from services.pairing.pairs import START, PairEvent, evolve
from shared.events.codes import EndReason
from shared.events.envelope import Envelope
from shared.events.interventions import CaseExited
from shared.events.pairing import EndPair, PairAssigned
from shared.eventstore import store
from shared.runtime.known_household import NotTaken, decoded
from shared.runtime.registry_log import Aside, Unsound, sound

EXITED = CaseExited.type.encode()


class Reaction:
    """Takes the records of interventions' topic. Whatever else stands there is nothing to pairing."""

    def __init__(self, ends: Ends) -> None:
        self._ends = ends

    async def __call__(self, connection: asyncpg.Connection, records: Sequence[ConsumerRecord]) -> Sequence[Aside]:
        exits = [record for record in records if ("ce_type", EXITED) in record.headers]
        return [Aside(record, why) for record in exits if (why := await self._take(connection, record))]

    async def _take(self, connection: asyncpg.Connection, record: ConsumerRecord) -> str | None:
        try:
            told, _ = sound(record, "interventions")
            exited = cast(CaseExited, decoded(told.key, told.type, record.value or b"", "interventions"))
        except (Unsound, NotTaken) as why:
            return str(why)
        if told.stream != f"case-{exited.household}":
            return "of another kind of stream"
        if await connection.fetchval(_SEEN, told.id) is None:
            return None
        return await self._ends.settle(connection, told, await _commands(connection, told, exited))


async def _commands(connection: asyncpg.Connection, told: Envelope, exited: CaseExited) -> dict[str, EndPair]:
    """By their ids."""
    return {
        f"exited-{told.id}-{pair.household}-{pair.helper}": EndPair(
            occurred_on=exited.occurred_on,
            household=pair.household,
            helper=pair.helper,
            reason=EndReason.HOUSEHOLD_EXITED,
        )
        for pair in await _active(connection, exited)
        if pair.occurred_on <= exited.occurred_on
    }


async def _active(connection: asyncpg.Connection, exited: CaseExited) -> Sequence[PairAssigned]:
    """The pairs that have not ended, with all that is one household by now, locked until the transaction ends."""
    households = await ends.whole(connection, exited.household)
    await ends.lock(connection, households)
    stored = await store.load(connection, {f"pairing-{household}": 0 for household in households})
    return [
        pair
        for _, events in groupby(stored, key=lambda one: one.stream)
        for pair in reduce(lambda state, e: evolve(state, cast(PairEvent, e.event), e.agency), events, START).active
    ]


_SEEN = "INSERT INTO exit_seen (event) VALUES ($1) ON CONFLICT DO NOTHING RETURNING event"
"""Answers nothing where it came before."""
