"""Pairs that were left behind when the household came to live in another district."""

import asyncpg

from services.gateway import access, models
from services.gateway.access import Action
from services.gateway.queries import bounds, past, sql
from shared import places
from shared.errors import Rejected
from shared.runtime.auth import Caller

_NOW = sql("stale")
_AS_OF = past(_NOW, 1)


async def read(
    connection: asyncpg.Connection, province: str = places.KHON_KAEN, as_of: models.AsOf | None = None
) -> list[models.StalePair]:
    query, told = (_AS_OF, bounds(as_of)) if as_of else (_NOW, ())
    return [models.StalePair(**dict(row)) for row in await connection.fetch(query, province, *told)]


def shown(caller: Caller, pairs: list[models.StalePair]) -> list[models.StalePair]:
    """Those whose household's card the caller may read."""
    return [pair for pair in pairs if _may_read(caller, pair.district)]


def _may_read(caller: Caller, district: str) -> bool:
    try:
        access.may_read(caller, Action.CASES, district)
    except Rejected:
        return False
    return True
