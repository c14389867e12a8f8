"""One helper, and the households that the helper looks after."""

from typing import Any

import asyncpg

from services.gateway import models
from services.gateway.queries import needs, sql
from shared import places
from shared.errors import Rejected

_HOUSEHOLDS = sql("helper")
_HELPER = """
-- Who a helper is. $1 helper.
SELECT kind, district, office FROM helpers_rollup WHERE helper = $1 GROUP BY kind, district, office HAVING sum(n) > 0
"""


async def who(connection: asyncpg.Connection, helper: str) -> dict[str, Any]:
    """`kind`, `district`, `office`. Raises Rejected not_found."""
    row = await connection.fetchrow(_HELPER, helper)
    if row is None:
        raise Rejected("not_found")
    return dict(row) | {"place_name": models.text(places.name_of(row["district"]))}


async def households(connection: asyncpg.Connection, helper: str) -> list[models.HelpersHousehold]:
    rows = await connection.fetch(_HOUSEHOLDS, helper)
    wanted = await needs.read(connection, [row["household"] for row in rows])
    return [models.HelpersHousehold(**dict(row), needs=wanted[row["household"]]) for row in rows]
