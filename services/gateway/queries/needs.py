"""What households need and got, dimension by dimension."""

from collections import defaultdict

import asyncpg

from services.gateway import models
from services.gateway.queries import sql
from services.gateway.queries.coverage import DEFINITION

_NEEDS = sql("needs")


async def read(connection: asyncpg.Connection, households: list[str]) -> dict[str, list[models.Need]]:
    """Household -> its needs; an empty list for one that was never assessed or helped."""
    found: defaultdict[str, list[models.Need]] = defaultdict(list)
    for row in await connection.fetch(_NEEDS, households, DEFINITION):
        found[row["key"]].append(models.Need(**{name: row[name] for name in models.Need.model_fields}))
    return found
