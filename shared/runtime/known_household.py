"""What pairing and interventions must know of the registry's households: a pure fold, and its table."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import NamedTuple

import asyncpg
from pydantic import ValidationError

from shared.events import catalog
from shared.events.base import Event, HouseholdId, Version, VillageCode
from shared.events.envelope import Envelope
from shared.events.registry import (
    HouseholdCorrected,
    HouseholdEntryVoided,
    HouseholdMerged,
    HouseholdRegistered,
    HouseholdRelocated,
    HouseholdUnmerged,
    RelocationCorrected,
)
from shared.standing import Standing

REGISTRATION: Version = 1
MATTERING = {
    kind.type
    for kind in (
        HouseholdRelocated,
        HouseholdCorrected,
        RelocationCorrected,
        HouseholdEntryVoided,
        HouseholdMerged,
        HouseholdUnmerged,
    )
}
"""Types of later events that change what is known; of any other only the version counts."""


class Home(NamedTuple):
    version: Version
    since: date
    village: VillageCode


@dataclass(frozen=True, slots=True)
class Household:
    version: int
    """Up to which its stream is read."""
    homes: tuple[Home, ...]
    """In order of version, as corrected; those that were voided are gone, but for the registration."""
    voided: bool = False
    merged_into: HouseholdId | None = None

    @property
    def standing(self) -> Standing:
        return Standing(self.voided, self.merged_into)

    def village_on(self, day: date) -> VillageCode:
        """Where it lived that day; before its registration, where it was registered."""
        lived = [home for home in self.homes if home.since <= day]
        return max(lived, key=lambda home: (home.since, home.version)).village if lived else self.homes[0].village


class Unreadable(Exception):
    """A record that cannot be taken; the text says why and quotes nothing of it."""


def follow(known: Household | None, told: Envelope, value: bytes) -> Household | None:
    """What is known after one more record of the household's stream.

    A repeat changes nothing, nor does a record behind a gap: the relay then sends the missing ones, and this one
    again (shared/eventstore/restore.py). Raises Unreadable.
    """
    if told.version != (known.version if known else 0) + 1:
        return known
    if known is None:
        event = _decoded(told, value)
        if not isinstance(event, HouseholdRegistered):
            raise Unreadable("a household's first event that does not register it")
        return Household(told.version, (Home(told.version, event.occurred_on, event.village),))
    after = replace(known, version=told.version)
    return _evolved(after, _decoded(told, value)) if told.type in MATTERING else after


def _decoded(told: Envelope, value: bytes) -> Event:
    try:
        return catalog.decode(told.type, value)
    except KeyError:
        raise Unreadable("unknown type") from None
    except ValidationError as error:
        raise Unreadable(", ".join(sorted({one["type"] for one in error.errors()}))) from None


def _evolved(household: Household, event: Event) -> Household:  # noqa: PLR0911 one line a case
    match event:
        case HouseholdRelocated():
            home = Home(household.version, event.occurred_on, event.village)
            return replace(household, homes=(*household.homes, home))
        case HouseholdCorrected():
            return _moved(household, Home(REGISTRATION, event.occurred_on, event.village))
        case RelocationCorrected():
            return _moved(household, Home(event.corrects, event.occurred_on, event.village))
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


def _moved(household: Household, to: Home) -> Household:
    return replace(household, homes=tuple(to if home.version == to.version else home for home in household.homes))


async def load(
    connection: asyncpg.Connection, households: Iterable[HouseholdId], *, against_merging: bool = False
) -> dict[HouseholdId, Household]:
    """What is known of these. `against_merging`: none of them is merged before the transaction ends."""
    locking = "ORDER BY household FOR KEY SHARE" if against_merging else ""
    rows = await connection.fetch(
        f"SELECT household, version, homes, voided, merged_into FROM known_household "  # noqa: S608
        f"WHERE household = ANY($1) {locking}",
        list(households),
    )
    return {row["household"]: Household(row[1], _homes(row[2]), *row[3:]) for row in rows}


async def save(connection: asyncpg.Connection, changed: Mapping[HouseholdId, Household]) -> None:
    rows: Sequence[tuple[HouseholdId, Household]] = sorted(changed.items(), key=lambda row: row[0])
    await connection.execute(
        """INSERT INTO known_household (household, version, homes, voided, merged_into)
           SELECT * FROM unnest($1::text[], $2::integer[], $3::jsonb[], $4::boolean[], $5::text[])
           ON CONFLICT (household) DO UPDATE SET version = excluded.version, homes = excluded.homes,
               voided = excluded.voided, merged_into = excluded.merged_into""",
        [household for household, _ in rows],
        [household.version for _, household in rows],
        [json.dumps(household.homes, default=date.isoformat) for _, household in rows],
        [household.voided for _, household in rows],
        [household.merged_into for _, household in rows],
    )


def _homes(text: str) -> tuple[Home, ...]:
    return tuple(Home(version, date.fromisoformat(since), village) for version, since, village in json.loads(text))
