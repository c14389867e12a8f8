"""One helper, and the households that the helper looks after."""

from typing import Any

import asyncpg

from services.gateway import models
from services.gateway.queries import bounds, needs, sql
from shared import places
from shared.errors import Rejected

_HOUSEHOLDS = sql("helper")
_HELPER = """
-- Who a helper is. $1 helper.
SELECT kind, district, office FROM helpers_rollup WHERE helper = $1 GROUP BY kind, district, office HAVING sum(n) > 0
"""


_HELPER_AS_OF = """
-- Who a helper was. $1 helper, $2 valid on, $3 known at.
SELECT kind, district, office FROM helpers_ledger WHERE key = $1 AND valid_on <= $2 AND recorded_at <= $3
GROUP BY kind, district, office HAVING sum(delta) > 0
"""


async def who(connection: asyncpg.Connection, helper: str, as_of: models.AsOf | None = None) -> dict[str, Any]:
    """`kind`, `district`, `office`. Raises Rejected not_found."""
    query, told = (_HELPER_AS_OF, bounds(as_of)) if as_of else (_HELPER, ())
    row = await connection.fetchrow(query, helper, *told)
    if row is None:
        raise Rejected("not_found")
    return dict(row) | {"place_name": models.text(places.name_of(row["district"]))}


async def district_now(connection: asyncpg.Connection, helper: str) -> str | None:
    """The district that decides who may read it, whatever day is asked about; None where nobody is enrolled now."""
    row = await connection.fetchrow(_HELPER, helper)
    return row and str(row["district"])


async def households(
    connection: asyncpg.Connection, helper: str, as_of: models.AsOf | None = None
) -> list[models.HelpersHousehold]:
    rows = await connection.fetch(_HOUSEHOLDS, helper, *bounds(as_of))
    wanted = await needs.read(connection, [row["household"] for row in rows], as_of)
    return [models.HelpersHousehold(**dict(row), needs=wanted[row["household"]]) for row in rows]
