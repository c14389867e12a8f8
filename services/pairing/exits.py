"""When a household exits the programme, the pairs that hold on that day end on it: of whoever leads, and who supports.

Policy of ours. A pair that is from a later day on was assigned by who found the household in the programme again, and
lasts. Correcting or voiding an exit does not bring a pair back, nor moves its end: who does so sets the pair right too.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import reduce
from itertools import groupby
from typing import NamedTuple, cast

import asyncpg

from services.pairing import ends
from services.pairing.ends import End, Ends
from services.pairing.pairs import START, PairEvent, evolve
from shared.events.base import HelperId, HouseholdId
from shared.events.codes import EndReason
from shared.events.interventions import CaseExited
from shared.events.pairing import EndPair, PairAssigned
from shared.eventstore import store
from shared.runtime.known_household import NotTaken, decoded
from shared.runtime.registry_log import Aside, Delivered, Readable, Unsound, sound

CASE = re.compile("case-hh_[0-9a-z]{20}")
EXITED = CaseExited.type.partition(".")[0].encode() + b"."
"""Whatever version comes after it."""

Active = Mapping[HouseholdId, dict[HelperId, PairAssigned]]
"""The pairs that have not ended."""


class Exit(NamedTuple):
    one: Readable
    event: CaseExited


class Reaction:
    """Takes the records of interventions' topic. Whatever else stands there is nothing to pairing.

    What stands where it should but cannot be read, or whose pairs cannot end, waits in quarantine, and is not noted.
    """

    def __init__(self, ends: Ends) -> None:
        self._ends = ends

    async def __call__(self, connection: asyncpg.Connection, records: Sequence[Delivered]) -> Sequence[Aside]:
        found = [_read(record) for record in records if _tells_of_an_exit(record)]
        exits = {one.one.told.id: one for one in found if isinstance(one, Exit)}
        for row in await connection.fetch(_SEEN, list(exits)) if exits else ():
            del exits[str(row["event"])]
        refused: Mapping[str, str] = {}
        if exits:
            refused = await self._ends.settle(connection, await _ends(connection, list(exits.values())))
            await connection.execute(_NOTE, [event for event in exits if event not in refused])
        unread = [one for one in found if isinstance(one, Aside)]
        return unread + [Aside(exits[event].one.record, why, exits[event].one) for event, why in refused.items()]


def _tells_of_an_exit(record: Delivered) -> bool:
    return any(name == "ce_type" and (value or b"").startswith(EXITED) for name, value in record.headers)


def _read(record: Delivered) -> Exit | Aside:
    try:
        one = Readable(*sound(record, "interventions"), record)
    except Unsound as why:
        return Aside(record, str(why))
    if not CASE.fullmatch(one.told.stream):
        return Aside(record, "of another kind of stream")
    try:
        event = decoded(one.told.key, one.told.type, record.value or b"", "interventions")
    except NotTaken as why:
        return Aside(record, str(why), one)
    return Exit(one, cast(CaseExited, event))


async def _ends(connection: asyncpg.Connection, exits: Sequence[Exit]) -> list[End]:
    """Of each pair one. Locks all the households at once, and what is one with them, until the transaction ends."""
    parts = await ends.whole(connection, (exit_.event.household for exit_ in exits))
    active = await _active(connection, {part for several in parts.values() for part in several})
    return [end for exit_ in exits for end in _ending(exit_, parts[exit_.event.household], active)]


def _ending(exit_: Exit, parts: Iterable[HouseholdId], active: Active) -> Iterator[End]:
    """Takes them out of `active`."""
    told, day = exit_.one.told, exit_.event.occurred_on
    for pairs in [active[part] for part in parts if part in active]:
        for pair in [pair for pair in pairs.values() if pair.occurred_on <= day]:
            del pairs[pair.helper]
            command = EndPair(
                occurred_on=day, household=pair.household, helper=pair.helper, reason=EndReason.HOUSEHOLD_EXITED
            )
            yield End(told, f"exited-{told.id}-{pair.household}-{pair.helper}", command)


async def _active(connection: asyncpg.Connection, households: Iterable[HouseholdId]) -> Active:
    await ends.lock(connection, households)
    stored = await store.load(connection, {f"pairing-{household}": 0 for household in households})
    active: dict[HouseholdId, dict[HelperId, PairAssigned]] = defaultdict(dict)
    for _, events in groupby(stored, key=lambda one: one.stream):
        for pair in reduce(lambda state, e: evolve(state, cast(PairEvent, e.event), e.agency), events, START).active:
            active[pair.household][pair.helper] = pair
    return active


_SEEN = "SELECT event FROM exit_seen WHERE event = ANY($1::uuid[])"

_NOTE = "INSERT INTO exit_seen (event) SELECT unnest($1::uuid[])"
