"""When a household exits the programme, the pairs that hold on that day end on it: of whoever leads, and who supports.

Policy of ours. A pair that is from a later day on was assigned by who found the household in the programme again, and
lasts; of one from that day on or before it, that is assigned later, the desk knows by what is noted here. Correcting or
voiding an exit does not bring a pair back, nor moves its end: who does so sets the pair right too.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from functools import reduce
from itertools import groupby
from typing import NamedTuple, cast, get_args

import asyncpg

from services.pairing import ends
from services.pairing.ends import End, Ends
from services.pairing.pairs import START, PairEvent, evolve
from shared.events.base import ExitId, HelperId, HouseholdId, Version
from shared.events.codes import EndReason
from shared.events.interventions import CaseExited, CaseExitVoided, ExitEvent
from shared.events.pairing import EndPair, PairAssigned
from shared.eventstore import store
from shared.runtime.known_household import NotTaken, decoded
from shared.runtime.postgres import columns
from shared.runtime.registry_log import Aside, Delivered, Readable, Unsound, sound

CASE = re.compile("case-hh_[0-9a-z]{20}")
EXITS = tuple(kind.type.partition(".")[0].encode() + b"." for kind in get_args(ExitEvent))
"""Whatever version comes after them."""

Active = Mapping[HouseholdId, dict[HelperId, PairAssigned]]
"""The pairs that have not ended."""


class Exit(NamedTuple):
    one: Readable
    event: ExitEvent


class Reaction:
    """Takes the records of interventions' topic. Whatever else stands there is nothing to pairing.

    What stands where it should but cannot be read, or whose pairs cannot end, waits in quarantine, and is not noted.
    """

    def __init__(self, ends: Ends) -> None:
        self._ends = ends

    async def __call__(self, connection: asyncpg.Connection, records: Sequence[Delivered]) -> Sequence[Aside]:
        found = [_read(record) for record in records if _tells_of_an_exit(record)]
        told = [one for one in found if isinstance(one, Exit)]
        refused = await self._answer(connection, told) if told else []
        return [one for one in found if isinstance(one, Aside)] + refused

    async def _answer(self, connection: asyncpg.Connection, told: Sequence[Exit]) -> list[Aside]:
        exits = {one.one.told.id: one for one in told if isinstance(one.event, CaseExited)}
        for row in await connection.fetch(_SEEN, list(exits)):
            del exits[str(row["event"])]
        refused = await self._ends.settle(connection, await _ends(connection, list(exits.values())))
        await connection.execute(_SEE, [event for event in exits if event not in refused])
        await connection.execute(_NOTE, *columns(_latest(told)))
        return [Aside(exits[event].one.record, why, exits[event].one) for event, why in refused.items()]


def _tells_of_an_exit(record: Delivered) -> bool:
    return any(name == "ce_type" and (value or b"").startswith(EXITS) for name, value in record.headers)


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
    return Exit(one, cast(ExitEvent, event))


def _latest(told: Iterable[Exit]) -> list[tuple[HouseholdId, ExitId, Version, date | None]]:
    """Of each exit what is known of it last: its day, or None if it was voided."""
    last = {(one.event.household, one.event.exit): one for one in sorted(told, key=lambda one: one.one.told.version)}
    return [
        (*exit_, one.told.version, None if isinstance(event, CaseExitVoided) else event.occurred_on)
        for exit_, (one, event) in last.items()
    ]


async def _ends(connection: asyncpg.Connection, exits: Sequence[Exit]) -> list[End]:
    """Of each pair one. Locks all the households at once, and what is one with them, until the transaction ends."""
    parts = await ends.whole(connection, (exit_.event.household for exit_ in exits))
    households = {part for several in parts.values() for part in several}
    await ends.lock(connection, households)
    active = await active_pairs(connection, households)
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


async def active_pairs(connection: asyncpg.Connection, households: Iterable[HouseholdId]) -> Active:
    stored = await store.load(connection, {f"pairing-{household}": 0 for household in households})
    active: dict[HouseholdId, dict[HelperId, PairAssigned]] = defaultdict(dict)
    for _, events in groupby(stored, key=lambda one: one.stream):
        for pair in reduce(lambda state, e: evolve(state, cast(PairEvent, e.event), e.agency), events, START).active:
            active[pair.household][pair.helper] = pair
    return active


_SEEN = "SELECT event FROM exit_seen WHERE event = ANY($1::uuid[])"

_SEE = "INSERT INTO exit_seen (event) SELECT unnest($1::uuid[])"

_NOTE = """
    INSERT INTO exited (household, exit, version, day)
    SELECT * FROM unnest($1::text[], $2::text[], $3::integer[], $4::date[])
    ON CONFLICT (household, exit) DO UPDATE SET version = excluded.version, day = excluded.day
    WHERE exited.version < excluded.version"""
