"""Where a household lives, as far as the projections know."""

import asyncpg
from pydantic import TypeAdapter, ValidationError

from services.gateway.queries import sql
from shared.errors import Rejected
from shared.events.base import HouseholdId
from shared.runtime import problems

_NOW = sql("whereabouts")
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


def _checked(household: object, field: str) -> str:
    """Before it goes near the database: a text may hold what PostgreSQL cannot take (NUL, half of a surrogate pair)."""
    try:
        return _ID.validate_python(household, strict=True)
    except ValidationError as error:
        raise problems.from_validation(error, field) from None  # its text may quote the value
