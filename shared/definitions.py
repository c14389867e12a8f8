"""What counts as coverage: versioned definitions, the same objects where figures are made and where they are asked for.

A definition is never changed once used: another one gets another id, and is computed beside it from every event.
"""

from dataclasses import dataclass
from datetime import date
from typing import Final, Literal

from shared.events.codes import Cohort, HouseholdClass, Level

InNeed = Literal["ever", "still"]
Rounding = Literal["half_up", "truncated"]


@dataclass(frozen=True)
class Words:
    """What a definition says to people."""

    th: str
    en: str


@dataclass(frozen=True, eq=False)
class Definition:
    """Which households count, which of them are in need, and which of these are reached: in need, and helped since the
    programme began, at a level.

    A percentage is never counted: it is made last, from numerator and denominator.
    """

    id: str
    programme_start: date
    """Help before this day does not count."""
    levels: frozenset[Level]
    """The levels of help that count as reached."""
    in_need: InNeed
    """Once assessed so, for good; or until help resolved it or an assessment found otherwise."""
    cohorts: frozenset[Cohort] | None
    """None: every household, also of no cohort."""
    classes: frozenset[HouseholdClass] | None
    """On the day. None: every household, also without a class."""
    rounding: Rounding
    """Of the percentage that the definition means."""
    need: Words
    """The denominator."""
    reached: Words
    """The numerator."""


PROGRAMME_START = date(2019, 9, 20)
"""Order 3091/2562 of 20 Sep 2562 (document B)."""

_EVER_IN_NEED = Words(
    th="ครัวเรือนที่เคยประเมินว่าจำเป็นต้องได้รับความช่วยเหลือด้านนี้ (ผู้ที่พ้นแล้วยังนับอยู่)",
    en="Households ever assessed as in need in this dimension; those helped out of it stay counted.",
)

DEFINITIONS: dict[str, Definition] = {
    definition.id: definition
    for definition in (
        Definition(
            id="coverage-1",
            programme_start=PROGRAMME_START,
            levels=frozenset(Level),
            in_need="ever",
            cohorts=None,
            classes=None,
            rounding="half_up",
            need=_EVER_IN_NEED,
            reached=Words(
                th="ในจำนวนนั้น ครัวเรือนที่ได้รับความช่วยเหลือด้านนี้แล้วอย่างน้อยหนึ่งครั้งตั้งแต่ 20 กันยายน 2562 นับตั้งแต่ระดับเบื้องต้น",
                en="Of these, households that were helped in it at least once since 20 September 2019; "
                "initial help counts.",
            ),
        ),
        Definition(
            id="coverage-2",
            programme_start=PROGRAMME_START,
            levels=frozenset({Level.CONTINUING, Level.RESOLVED}),
            in_need="ever",
            cohorts=None,
            classes=None,
            rounding="half_up",
            need=_EVER_IN_NEED,
            reached=Words(
                th="ในจำนวนนั้น ครัวเรือนที่ได้รับความช่วยเหลือด้านนี้อย่างต่อเนื่องหรือจนพ้นแล้ว ตั้งแต่ 20 กันยายน 2562 ไม่นับระดับเบื้องต้น",
                en="Of these, households that were helped in it continually or out of it since 20 September 2019; "
                "initial help does not count.",
            ),
        ),
    )
}
"""Id -> definition. coverage-1 counts initial help, as document A does ("ดูแลเบื้องต้น"); coverage-2 is ours, stricter."""

DEFAULT: Final = "coverage-1"
"""The one that the published table was made by, as far as can be told."""
