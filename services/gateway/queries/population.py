"""How many households a cohort holds, of which class, and in how many places."""

from dataclasses import dataclass

import asyncpg

from services.gateway.queries import sql
from shared.events.codes import Cohort

_POPULATION = sql("population")


@dataclass(frozen=True)
class Population:
    households: int
    developable: int
    welfare: int
    villages: int
    subdistricts: int
    districts: int


async def read(connection: asyncpg.Connection, cohort: Cohort = Cohort.BMN_2561) -> Population:
    return Population(**dict(await connection.fetchrow(_POPULATION, cohort)))
