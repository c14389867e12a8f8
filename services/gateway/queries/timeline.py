"""One household's timeline: on which days its home, exit, helpers, needs and help began or ended."""

from itertools import groupby

import asyncpg

from services.gateway import changes_models as models
from services.gateway import labels
from services.gateway.models import AsOf, text
from services.gateway.queries import bounds, sql
from services.gateway.queries.explain import CAUSES

_TIMELINE = sql("timeline")
_NAMES = {
    "home": ("village", "cohort", "class"),
    "exit": ("reason",),
    "pair": ("helper", "role"),
    "coverage": ("dimension", "measure"),
}


async def read(
    connection: asyncpg.Connection, household: str, definition: str, as_of: AsOf | None
) -> list[models.TimelineDay]:
    """By day, the first one first."""
    rows = await connection.fetch(_TIMELINE, household, definition, *bounds(as_of))
    return [
        models.TimelineDay(on=day, changes=[_change(row) for row in of_day])
        for day, of_day in groupby(rows, key=lambda row: row["valid_on"])
    ]


def _change(row: asyncpg.Record) -> models.TimelineChange:
    told = {name: part or None for name, part in zip(_NAMES[row["what"]], row["value"], strict=True)}
    cause = CAUSES.get(row["type"])
    name = text(labels.CAUSES[cause]) if cause else None
    changed = {"what": row["what"], "began": row["began"], "known_since": row["known_since"]}
    return models.TimelineChange(**changed, cause=cause, name=name, **{"is": told})
