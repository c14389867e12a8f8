"""Coverage: of the households in need in a dimension, how many were reached."""

from dataclasses import dataclass

import asyncpg

from services.gateway import models
from services.gateway.queries import sql
from shared import places, thai
from shared.definitions import DEFAULT, DEFINITIONS, Definition, Words
from shared.events.codes import Cohort, Dimension, HouseholdClass

_NOW, _AS_OF, _LEDGER = sql("coverage"), sql("coverage_as_of"), sql("coverage_ledger")


@dataclass(frozen=True)
class Question:
    """What is asked: `level` is that of each figure, `place` the area they lie in; None means all together."""

    level: models.Level = "province"
    place: str = places.KHON_KAEN
    dimension: Dimension | None = None
    cohort: Cohort | None = None
    household_class: HouseholdClass | None = None
    definition: str = DEFAULT


async def read(
    connection: asyncpg.Connection, question: Question, as_of: models.AsOf | None = None
) -> list[models.Figure]:
    """As counted now, or as valid on one day and known at one moment."""
    definition = DEFINITIONS[question.definition]
    return [_figure(row, question, definition) for row in await rows(connection, question, as_of)]


async def rows(
    connection: asyncpg.Connection, question: Question, as_of: models.AsOf | None = None
) -> list[asyncpg.Record]:
    """place, dimension, and the count of each measure; of a place below the level, that place's."""
    digits = max(places.LEVELS[question.level], len(question.place))
    told = (question.definition, digits, question.place)
    narrowed = (question.dimension, question.cohort, question.household_class)
    if as_of is None:
        found = await connection.fetch(_NOW, *told, *narrowed)
    elif as_of.known_at is None:
        found = []
    else:
        query = _LEDGER if digits == places.LEVELS["village"] else _AS_OF
        found = await connection.fetch(query, *told, *narrowed, as_of.valid_on, as_of.known_at)
    return list(found)


def _figure(row: asyncpg.Record, question: Question, definition: Definition) -> models.Figure:
    percent = thai.percent(row["reached"], row["need"])
    return models.Figure(
        place=row["place"],
        place_name=models.text(places.name_of(row["place"])),
        dimension=row["dimension"],
        cohort=question.cohort,
        household_class=question.household_class,
        numerator=row["reached"],
        denominator=row["need"],
        numerator_definition=_said(definition, "reached", definition.reached),
        denominator_definition=_said(definition, "need", definition.need),
        percent=percent and models.Percent(**percent._asdict()),
        rounding=definition.rounding,
        resolved=row["resolved"],
        open=row["unreached"],
        outside_need=row["outside_need"],
    )


def _said(definition: Definition, measure: str, words: Words) -> models.Definition:
    return models.Definition(id=f"{definition.id}/{measure}", th=words.th, en=words.en)
