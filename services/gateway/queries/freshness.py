"""How fresh the figures are: per service, per agency, and what could not be read."""

import asyncpg

from services.gateway import models
from services.gateway.queries import sql

_AGENCIES, _LAG, _TROUBLE = sql("freshness"), sql("lag"), sql("trouble")


async def services(connection: asyncpg.Connection) -> list[models.ServiceLag]:
    return [models.ServiceLag(**dict(row)) for row in await connection.fetch(_LAG)]


async def agencies(connection: asyncpg.Connection) -> list[models.AgencyFreshness]:
    return [models.AgencyFreshness(**dict(row)) for row in await connection.fetch(_AGENCIES)]


async def trouble(connection: asyncpg.Connection) -> models.Trouble:
    return models.Trouble(**dict(await connection.fetchrow(_TROUBLE)))
