"""Pairing per district: officers, households, and where one of them lacks the other."""

from collections import Counter
from collections.abc import Sequence

import asyncpg

from services.gateway import models
from services.gateway.queries import bounds, past, sql
from shared import places
from shared.events.codes import CAPACITY, HelperKind

_NOW = sql("pairing")
_AS_OF = past(_NOW, 2)
_SUMS = tuple(models.PairingSums.model_fields)


async def read(
    connection: asyncpg.Connection,
    pairs: Sequence[models.StalePair],
    province: str = places.KHON_KAEN,
    as_of: models.AsOf | None = None,
) -> list[models.DistrictPairing]:
    """Every district of the province, also one where nothing is known yet. `pairs`: all that are stale."""
    query, told = (_AS_OF, bounds(as_of)) if as_of else (_NOW, ())
    rows = await connection.fetch(query, province, CAPACITY[HelperKind.OFFICER], *told)
    stale = Counter(pair.district for pair in pairs)
    nothing = dict.fromkeys(_SUMS, 0)
    known = {district: nothing | {"stale_pairs": n} for district, n in stale.items()}
    for row in rows:
        known[row["district"]] = {"stale_pairs": stale[row["district"]]} | {
            name: row[name] for name in _SUMS if name != "stale_pairs"
        }
    return [
        models.DistrictPairing(
            place=district,
            place_name=models.text(places.name_of(district)),
            **known.get(district, nothing),
        )
        for district in sorted({*known, *places.districts_of(province)})
    ]


def total(districts: list[models.DistrictPairing]) -> models.PairingSums:
    return models.PairingSums(**{name: sum(getattr(one, name) for one in districts) for name in _SUMS})
