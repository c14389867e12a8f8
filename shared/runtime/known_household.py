"""What pairing and interventions must know of the registry's households: a pure fold, and its table."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import asyncpg
from pydantic import ValidationError

from shared.events import catalog
from shared.events.base import HouseholdId, VillageCode
from shared.events.envelope import Envelope
from shared.events.registry import HouseholdRegistered


@dataclass(frozen=True, slots=True)
class Household:
    village: VillageCode
    version: int
    """Up to which its stream is read."""


class Unreadable(Exception):
    """A record that cannot be taken; the text says why and quotes nothing of it."""


def follow(known: Household | None, told: Envelope, value: bytes) -> Household | None:
    """What is known after one more record of the household's stream.

    A repeat changes nothing, nor does a record behind a gap: the relay then sends the missing ones, and this one
    again (shared/eventstore/restore.py). Raises Unreadable.
    """
    if told.version != (known.version if known else 0) + 1:
        return known
    if known:
        return replace(known, version=told.version)
    try:
        event = catalog.decode(told.type, value)
    except KeyError:
        raise Unreadable("unknown type") from None
    except ValidationError as error:
        raise Unreadable(", ".join(sorted({one["type"] for one in error.errors()}))) from None
    if not isinstance(event, HouseholdRegistered):
        raise Unreadable("a household's first event that does not register it")
    return Household(event.village, told.version)


async def load(connection: asyncpg.Connection, households: Iterable[HouseholdId]) -> dict[HouseholdId, Household]:
    rows = await connection.fetch(
        "SELECT household, village, version FROM known_household WHERE household = ANY($1)", list(households)
    )
    return {row["household"]: Household(row["village"], row["version"]) for row in rows}


async def save(connection: asyncpg.Connection, changed: Mapping[HouseholdId, Household]) -> None:
    rows: Sequence[tuple[HouseholdId, Household]] = sorted(changed.items(), key=lambda row: row[0])
    await connection.execute(
        """INSERT INTO known_household (household, village, version)
           SELECT * FROM unnest($1::text[], $2::text[], $3::integer[])
           ON CONFLICT (household) DO UPDATE SET village = excluded.village, version = excluded.version""",
        [household for household, _ in rows],
        [household.village for _, household in rows],
        [household.version for _, household in rows],
    )
