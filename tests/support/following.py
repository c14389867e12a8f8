"""What a service knows of the registry's households, and what it should know; and waits until it was told all."""

import asyncio
from collections.abc import Iterable
from datetime import date

import asyncpg

from shared.runtime import known_household
from shared.runtime.known_household import MARK, REGISTRATION, Home, Household
from tests.support.checker import Event


async def followed(registry: asyncpg.Pool, pairing: asyncpg.Pool, seconds: float = 90) -> None:
    """Until every household of the registry is known, at the version that it has there. Raises TimeoutError."""
    heads = set(await registry.fetch("SELECT substr(stream, 11), version FROM head"))
    async with asyncio.timeout(seconds):
        while heads - set(await pairing.fetch("SELECT household, version FROM known_household")):
            await asyncio.sleep(0.1)


async def known(connection: asyncpg.Connection) -> dict[str, Household]:
    """All that a service knows; the connection's search_path names it."""
    rows = await connection.fetch("SELECT household FROM known_household")
    return await known_household.load(connection, [row["household"] for row in rows])


def expected(events: Iterable[Event]) -> dict[str, Household]:
    """The fold of the registry's store, the plain way; shares no code with the followers'. Streams in order."""
    found: dict[str, Household] = {}
    for event in events:
        if event.service == "registry":
            key = event.stream.removeprefix("household-")
            found[key] = _after(found.get(key), event)
    return found


def _after(before: Household | None, event: Event) -> Household:
    told, kind = event.data, event.type.removesuffix(".v1")
    homes = {home.version: home for home in before.homes} if before else {}
    voided, merged_into = (before.voided, before.merged_into) if before else (False, None)
    places = {
        "HouseholdRegistered": event.version,
        "HouseholdRelocated": event.version,
        "HouseholdRecoded": event.version,
        "HouseholdCorrected": REGISTRATION,
        "RelocationCorrected": told.get("corrects"),
        "RecodingCorrected": told.get("corrects"),
    }
    if (of := places.get(kind)) and (of in homes or of == event.version):
        was = told.get("was", homes[of].was if of in homes else None)
        homes[of] = Home(of, date.fromisoformat(told["occurred_on"]), told["village"], was)
    if kind == "HouseholdEntryVoided":
        voided = voided or told["voids"] == REGISTRATION
        homes = {version: home for version, home in homes.items() if _stays(version, told)}
    merged_into = {"HouseholdMerged": told.get("into"), "HouseholdUnmerged": None}.get(kind, merged_into)
    line = (before.line if before else b"") + bytes.fromhex(event.hash)[:MARK]
    return Household(event.version, tuple(homes.values()), voided, merged_into, line)


def _stays(version: int, told: dict[str, object]) -> bool:
    return version == REGISTRATION or version != told["voids"]
