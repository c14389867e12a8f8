"""What households need and got, dimension by dimension."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

import asyncpg

from services.gateway import models
from services.gateway.queries import bounds, sql
from shared.definitions import DEFAULT

_NEEDS = f"""
-- $1 households.
WITH kin AS (SELECT unnest($1::text[]) AS key)
{sql("needs")}
"""


async def read(
    connection: asyncpg.Connection, households: list[str], as_of: models.AsOf | None = None
) -> dict[str, list[models.Need]]:
    """Household -> its needs; an empty list for one that was never assessed or helped."""
    valid_on, known_at = bounds(as_of)
    return told(await connection.fetch(_NEEDS, households, known_at, valid_on, DEFAULT))


def told(rows: Iterable[Sequence[Any]]) -> dict[str, list[models.Need]]:
    """Of rows of needs.sql."""
    found: defaultdict[str, list[models.Need]] = defaultdict(list)
    for key, *need in rows:
        found[key].append(models.Need(**dict(zip(models.Need.model_fields, need, strict=True))))
    return found
