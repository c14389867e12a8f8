"""What the registry's follower has told this service of households (table `known_household`)."""

import asyncio
from collections.abc import Mapping, Sequence

import asyncpg

from shared.errors import Rejected
from shared.events.base import HouseholdId, VillageCode

LONGEST_WAIT = 5.0
"""Seconds that a command with Siao-After waits for the follower."""
BETWEEN_LOOKS = 0.05


async def known_households(
    connection: asyncpg.Connection, households: Sequence[HouseholdId]
) -> dict[HouseholdId, VillageCode]:
    """Household -> the village it was registered in, of those that are known."""
    rows = await connection.fetch(
        "SELECT household, village FROM known_household WHERE household = ANY($1)", households
    )
    return {row["household"]: row["village"] for row in rows}


async def wait_for_registry(pool: asyncpg.Pool, after: Mapping[str, int]) -> None:
    """Waits until the follower has passed each household stream's version. Raises Rejected not_yet_visible."""
    wanted = {s.removeprefix("household-"): v for s, v in after.items() if s.startswith("household-")}
    deadline = asyncio.get_running_loop().time() + LONGEST_WAIT
    while wanted:
        rows = await pool.fetch(
            "SELECT household, version FROM known_household WHERE household = ANY($1)", list(wanted)
        )
        reached = {row["household"]: row["version"] for row in rows}
        wanted = {household: v for household, v in wanted.items() if reached.get(household, 0) < v}
        if not wanted:
            return
        if asyncio.get_running_loop().time() > deadline:
            raise Rejected("not_yet_visible", field="Siao-After")
        await asyncio.sleep(BETWEEN_LOOKS)
