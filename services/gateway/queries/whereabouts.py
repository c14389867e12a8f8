"""Where a household lives, as far as the projections know."""

import asyncpg

from services.gateway.queries import sql
from shared.errors import Rejected

_NOW = sql("household")


async def of_household(pool: asyncpg.Pool, household: object) -> str:
    """The village code. Raises Rejected household_unknown while the projections know none."""
    row = await pool.fetchrow(_NOW, household) if isinstance(household, str) else None
    if row is None:
        raise Rejected("household_unknown", field="data.household")
    return str(row["village"])
