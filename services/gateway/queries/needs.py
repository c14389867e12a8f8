"""What households need and got, dimension by dimension."""

from collections import defaultdict

import asyncpg

from services.gateway import models
from services.gateway.queries import bounds, sql
from shared.definitions import DEFAULT

_NEEDS = sql("needs")


async def read(
    connection: asyncpg.Connection, households: list[str], as_of: models.AsOf | None = None
) -> dict[str, list[models.Need]]:
    """Household -> its needs; an empty list for one that was never assessed or helped."""
    found: defaultdict[str, list[models.Need]] = defaultdict(list)
    for row in await connection.fetch(_NEEDS, households, DEFAULT, *bounds(as_of)):
        found[row["key"]].append(models.Need(**{name: row[name] for name in models.Need.model_fields}))
    return found
