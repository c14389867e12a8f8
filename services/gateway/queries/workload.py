"""What lies on each sub-group's desk: needs by the sub-group that leads their dimension, and those nobody leads."""

import asyncpg

from services.gateway import models
from services.gateway.labels import DIMENSIONS, NO_OWNER, SUB_GROUPS
from services.gateway.queries import coverage
from shared import places
from shared.events.codes import LEAD_OF_DIMENSION, Dimension, SubGroup

_WORK = tuple(models.Work.model_fields)


async def read(
    connection: asyncpg.Connection, place: str = places.KHON_KAEN, as_of: models.AsOf | None = None
) -> list[models.Desk]:
    """One desk a sub-group, and last the one without an owner."""
    rows = await coverage.rows(connection, coverage.Question(place=place), as_of)
    known = {row["dimension"]: _work(row) for row in rows}
    return [_desk(group, known) for group in (*SubGroup, None)]


def _work(row: asyncpg.Record) -> dict[str, int]:
    need, done = row["need"], row["resolved"]
    return {"need": need, "open": row["unreached"], "unresolved": need - done, "done": done}


def _desk(group: SubGroup | None, known: dict[str, dict[str, int]]) -> models.Desk:
    led = [dimension for dimension, lead in LEAD_OF_DIMENSION.items() if lead is group]
    work = [known.get(dimension, dict.fromkeys(_WORK, 0)) for dimension in led]
    name = SUB_GROUPS[group] if group else NO_OWNER
    return models.Desk(
        group=group,
        name=models.text(name),
        dimensions=[_of(dimension, one) for dimension, one in zip(led, work, strict=True)],
        **{what: sum(one[what] for one in work) for what in _WORK},
    )


def _of(dimension: Dimension, work: dict[str, int]) -> models.DeskDimension:
    return models.DeskDimension(dimension=dimension, name=models.text(DIMENSIONS[dimension]), **work)
