"""What pairing and interventions must know of the registry's households: a pure fold, and its table."""

import json
from collections import defaultdict, deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import NamedTuple

import asyncpg
from pydantic import ValidationError

from shared.events import catalog
from shared.events.base import Event, HouseholdId, Version, VillageCode
from shared.events.envelope import GENESIS
from shared.events.recoding import HouseholdRecoded, RecodingCorrected
from shared.events.registry import (
    HouseholdCorrected,
    HouseholdEntryVoided,
    HouseholdMerged,
    HouseholdRegistered,
    HouseholdRelocated,
    HouseholdUnmerged,
    RelocationCorrected,
)
from shared.homes import village_on
from shared.runtime.registry_log import Aside, Readable
from shared.runtime.statement import Statement, Told
from shared.standing import Standing

REGISTRATION: Version = 1
MARK = 8
"""Bytes of a hash that are kept: they tell lines of events apart. That nothing was altered, the log's own hashes
show."""


class Home(NamedTuple):
    version: Version
    since: date
    village: VillageCode
    was: VillageCode | None = None
    """Of a recoding, the code until then."""


@dataclass(frozen=True, slots=True)
class Household:
    version: int
    """Up to which its stream is read."""
    homes: tuple[Home, ...]
    """In order of version, as corrected; those that were voided are gone, but for the registration."""
    voided: bool = False
    merged_into: HouseholdId | None = None
    line: bytes = b""
    """A mark of each event that it is made of, the last one's last; of the first ones perhaps none is kept."""

    def mark(self, version: int) -> bytes | None:
        """Of the event with that version; None where it is not kept."""
        begin = len(self.line) - (self.version - version + 1) * MARK
        return self.line[begin : begin + MARK] if version <= self.version and begin >= 0 else None

    @property
    def standing(self) -> Standing:
        return Standing(self.voided, self.merged_into)

    def village_on(self, day: date) -> VillageCode:
        """Where it lived that day; before its registration, where it was registered."""
        return village_on([(home.since, home.village, home.was) for home in self.homes], day)


class NotTaken(Exception):
    """Why a record is not taken; the text quotes nothing of it. It may continue the line when more is known."""


class Taken(NamedTuple):
    """A record that was taken, and what is known of its household then."""

    one: Readable
    household: Household


def fold(known: Mapping[HouseholdId, Household], readable: Iterable[Readable]) -> tuple[list[Taken], list[Aside]]:
    """The records that are taken, in the order in which they are, and those that are not.

    What comes of them depends on their order only in a fork, where the first is taken. Records of a household that
    were put aside before come first.
    """
    now, taken = dict(known), list[Taken]()
    aside: dict[HouseholdId, list[Aside]] = defaultdict(list)
    for one in readable:
        key, left = one.told.key, deque([one])
        while left:
            candidate, before = left.popleft(), now.get(key)
            try:
                now[key] = follow(before, candidate)
            except NotTaken as why:
                aside[key].append(Aside(candidate.record, str(why), candidate))
                continue
            if now[key] is not before:
                taken.append(Taken(candidate, now[key]))
                left.extendleft(reversed(_concerned(aside[key], now[key].version)))
    return taken, [one for of_household in aside.values() for one in of_household]


def _concerned(aside: list[Aside], version: int) -> list[Readable]:
    """Takes those out of `aside` of which something else may come, now that `version` is reached."""
    out = [one for one in aside if one.waits and one.waits.told.version - version in (0, 1)]
    aside[:] = [one for one in aside if one not in out]
    return [one.waits for one in out if one.waits]


def follow(known: Household | None, one: Readable) -> Household:
    """What is known after one more record of the household's stream; a repeat changes nothing.

    Version and hash decide, as for the projections: a record is taken if it continues what is known, and can be read.
    Raises NotTaken: beside another of its version (fork), behind a missing one (gap), off the line (chain), unreadable.
    """
    told, reached = one.told, known.version if known else 0
    if known and told.version <= reached:
        if known.mark(told.version) not in (None, mark(one.hash)):
            raise NotTaken("fork")
        return known
    if told.version > reached + 1:
        raise NotTaken("gap")
    before = known.mark(reached) if known else mark(GENESIS)
    if before not in (None, mark(told.prev_hash)):
        raise NotTaken("chain")
    event = decoded(told.key, told.type, one.record.value or b"")
    line = (known.line if known else b"") + mark(one.hash)
    if known:
        return _evolved(replace(known, version=told.version, line=line), event)
    if not isinstance(event, HouseholdRegistered):
        raise NotTaken("a household's first event that does not register it")
    return Household(told.version, (Home(told.version, event.occurred_on, event.village),), line=line)


def mark(digest: str) -> bytes:
    try:
        return bytes.fromhex(digest[: 2 * MARK])
    except ValueError:
        return digest.encode()  # no event's


def decoded(household: HouseholdId, type_name: str, value: bytes, service: str = "registry") -> Event:
    """An event of that service about that household. Raises NotTaken."""
    if type_name not in catalog.EVENTS_OF[service]:
        raise NotTaken("unknown type")
    try:
        event = catalog.decode(type_name, value)
        catalog.require_names_once(value)
    except ValidationError as error:
        raise NotTaken(", ".join(sorted({one["type"] for one in error.errors()}))) from None
    except catalog.NamedTwice:
        raise NotTaken("a name given twice") from None
    if getattr(event, "household", None) != household:
        raise NotTaken("of another household")
    return event


def _evolved(household: Household, event: Event) -> Household:  # noqa: PLR0911 one line a case
    match event:
        case HouseholdRelocated():
            home = Home(household.version, event.occurred_on, event.village)
            return replace(household, homes=(*household.homes, home))
        case HouseholdRecoded():
            home = Home(household.version, event.occurred_on, event.village, event.was)
            return replace(household, homes=(*household.homes, home))
        case HouseholdCorrected():
            return _corrected(household, REGISTRATION, event)
        case RelocationCorrected() | RecodingCorrected():
            return _corrected(household, event.corrects, event)
        case HouseholdEntryVoided(voids=version) if version == REGISTRATION:
            return replace(household, voided=True)
        case HouseholdEntryVoided(voids=version):
            return replace(household, homes=tuple(home for home in household.homes if home.version != version))
        case HouseholdMerged():
            return replace(household, merged_into=event.into)
        case HouseholdUnmerged():
            return replace(household, merged_into=None)
        case _:
            return household


def _corrected(
    household: Household, version: Version, event: HouseholdCorrected | RelocationCorrected | RecodingCorrected
) -> Household:
    """A recoding stays one: what the code was, its correction does not say."""
    return replace(
        household,
        homes=tuple(
            home._replace(since=event.occurred_on, village=event.village) if home.version == version else home
            for home in household.homes
        ),
    )


def look_up(statement: Statement, households: Sequence[HouseholdId]) -> None:
    """Has it find what is known of these."""
    statement.add(
        "households",
        """SELECT household, version, homes, voided, merged_into, line FROM known_household
           WHERE household = ANY($1::text[])""",
        households,
    )


def lock_against_merging(statement: Statement, households: Sequence[HouseholdId]) -> None:
    """Has it see to it that none of these is merged before the transaction ends. Whether one is already, only a later
    statement tells: this lock answers rows as they were before it was waited for."""
    statement.add(
        "unmerged",
        "SELECT household FROM known_household WHERE household = ANY($1::text[]) ORDER BY household FOR KEY SHARE",
        households,
    )


def found(told: Told) -> dict[HouseholdId, Household]:
    return {row[0]: Household(row[1], _homes(row[2]), *row[3:]) for row in told["households"]}


async def load(connection: asyncpg.Connection, households: Iterable[HouseholdId]) -> dict[HouseholdId, Household]:
    statement = Statement(connection)
    look_up(statement, list(households))
    return found(await statement.read())


async def save(connection: asyncpg.Connection, changed: Mapping[HouseholdId, Household]) -> None:
    rows: Sequence[tuple[HouseholdId, Household]] = sorted(changed.items(), key=lambda row: row[0])
    await connection.execute(
        """INSERT INTO known_household (household, version, homes, voided, merged_into, line)
           SELECT * FROM unnest($1::text[], $2::integer[], $3::jsonb[], $4::boolean[], $5::text[], $6::bytea[])
           ON CONFLICT (household) DO UPDATE SET version = excluded.version, homes = excluded.homes,
               voided = excluded.voided, merged_into = excluded.merged_into, line = excluded.line""",
        [household for household, _ in rows],
        [household.version for _, household in rows],
        [_dumped(household.homes) for _, household in rows],
        [household.voided for _, household in rows],
        [household.merged_into for _, household in rows],
        [household.line for _, household in rows],
    )


def _dumped(homes: Iterable[Home]) -> str:
    return json.dumps([home if home.was else home[:3] for home in homes], default=date.isoformat)


def _homes(text: str) -> tuple[Home, ...]:
    return tuple(Home(version, date.fromisoformat(since), *rest) for version, since, *rest in json.loads(text))
