"""Coverage: of the households in need in a dimension, how many were reached."""

from dataclasses import dataclass

import asyncpg

from services.gateway import models
from services.gateway.queries import sql
from shared import places, thai
from shared.events.codes import Cohort, Dimension, HouseholdClass

DEFINITION = "coverage-1"
NUMERATOR = models.Definition(
    id="coverage-1/reached",
    th="ในจำนวนนั้น ครัวเรือนที่ได้รับความช่วยเหลือด้านนี้แล้วอย่างน้อยหนึ่งครั้งตั้งแต่ 20 กันยายน 2562 นับตั้งแต่ระดับเบื้องต้น",
    en="Of these, households that were helped in it at least once since 20 September 2019; initial help counts.",
)
DENOMINATOR = models.Definition(
    id="coverage-1/need",
    th="ครัวเรือนที่เคยประเมินว่าจำเป็นต้องได้รับความช่วยเหลือด้านนี้ (ผู้ที่พ้นแล้วยังนับอยู่)",
    en="Households ever assessed as in need in this dimension; those helped out of it stay counted.",
)

_COVERAGE = sql("coverage")


@dataclass(frozen=True)
class Question:
    """What is asked: `level` is that of each figure, `place` the area they lie in; None means all together."""

    level: models.Level = "province"
    place: str = places.KHON_KAEN
    dimension: Dimension | None = None
    cohort: Cohort | None = None
    household_class: HouseholdClass | None = None


async def read(connection: asyncpg.Connection, question: Question) -> list[models.Figure]:
    rows = await connection.fetch(
        _COVERAGE,
        DEFINITION,
        places.LEVELS[question.level],
        question.place,
        question.dimension,
        question.cohort,
        question.household_class,
    )
    return [_figure(row, question) for row in rows]


def _figure(row: asyncpg.Record, question: Question) -> models.Figure:
    percent = thai.percent(row["reached"], row["need"])
    return models.Figure(
        place=row["place"],
        place_name=models.text(places.name_of(row["place"])),
        dimension=row["dimension"],
        cohort=question.cohort,
        household_class=question.household_class,
        numerator=row["reached"],
        denominator=row["need"],
        numerator_definition=NUMERATOR,
        denominator_definition=DENOMINATOR,
        percent=percent and models.Percent(**percent._asdict()),
        resolved=row["resolved"],
        open=row["unreached"],
        outside_need=row["outside_need"],
    )
