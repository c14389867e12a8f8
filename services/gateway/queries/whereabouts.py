"""Where a household lives, and who lives in a village, as far as the projections know."""

import asyncpg
from pydantic import TypeAdapter, ValidationError

from services.gateway.models import AsOf
from services.gateway.queries import bounds, sql
from shared.errors import Rejected
from shared.events.base import HouseholdId
from shared.runtime import problems

_NOW = sql("whereabouts")
_IN_VILLAGE = """
-- Who is counted in a village ($1), behind one ($2), so many at most ($3). $4 valid on, $5 known at; null: now.
SELECT key FROM households_ledger
WHERE village = $1 AND key > $2
  AND valid_on <= coalesce($4::date, 'infinity') AND recorded_at <= coalesce($5::timestamptz, 'infinity')
GROUP BY key HAVING sum(delta) > 0 ORDER BY key LIMIT $3
"""
_FILLED = """
-- Whether what every service has said was there is folded; tables that were made anew are behind that for a while.
SELECT count(mark) = 3 FROM watermark_settled
"""
_ID: TypeAdapter[str] = TypeAdapter(HouseholdId)


async def of_household(pool: asyncpg.Pool, household: object, field: str = "data.household") -> str:
    """The village code. Raises Rejected field_invalid for what is no id, household_unknown while none is known, and
    unavailable where that is because the tables are not filled yet."""
    row = await pool.fetchrow(_NOW, _checked(household, field)) if household is not None else None
    if row is None:
        filled = household is None or await pool.fetchval(_FILLED)
        raise Rejected("household_unknown", field=field) if filled else Rejected("unavailable")
    return str(row["village"])


async def in_village(
    connection: asyncpg.Connection, village: str, page: tuple[str, int], as_of: AsOf | None
) -> list[str]:
    """Households in order of their ids. `page`: behind which one, and how many at most."""
    rows = await connection.fetch(_IN_VILLAGE, village, *page, *bounds(as_of))
    return [row["key"] for row in rows]


def _checked(household: object, field: str) -> str:
    """Before it goes near the database: a text may hold what PostgreSQL cannot take (NUL, half of a surrogate pair)."""
    try:
        return _ID.validate_python(household, strict=True)
    except ValidationError as error:
        raise problems.from_validation(error, field) from None  # its text may quote the value
