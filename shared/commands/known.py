"""Waits for what the registry's follower tells this service of households (table `known_household`)."""

import asyncio
from collections.abc import Mapping

import asyncpg

from shared.errors import Rejected

LONGEST_WAIT = 5.0
"""Seconds that a command with Siao-After waits for the follower."""
BETWEEN_LOOKS = 0.05


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
