"""What the two documents print, and what follows from it: the one table of the programme's published figures.

A: the governor's interview of 2 November 2563. B: citizen report no. 35 of 27 October 2563.
"""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Literal

from shared import thai
from shared.events.codes import Dimension

COHORT = 1_174
"""Target households below the จปฐ. criteria of 2561 (A, B)."""
DEVELOPABLE = 661
"""พัฒนาได้ (A, B)."""
WELFARE = 513
"""ต้องสงเคราะห์ (A, B)."""
DISTRICTS = 26
"""With a target household (A, B): all that Khon Kaen has."""
SUBDISTRICTS = 147
"""With a target household (A), of 199."""
VILLAGES = 577
"""With a target household (A)."""

KHAO_SUAN_KWANG = "4019"
KSK_OFFICERS = 39
"""ข้าราชการคู่เสี่ยว in Khao Suan Kwang (B)."""
KSK_HOUSEHOLDS = 72
"""B prints "72 คน"; that households are meant is a reading."""
KSK_HOLDING_TWO = 33
KSK_HOLDING_ONE = 6
"""Inferred: each of the 39 holds at least one and none more than two."""
OFFICERS_AT_LEAST = 590
"""Inferred: 39 in Khao Suan Kwang, and half of the other 1,102 households."""

INTERVIEW = date(2020, 11, 2)
"""2 November 2563, the day of the published table (A)."""

Rule = Literal["half_up", "truncated"]
Number = Literal["reached", "in_need", "percent"]


@dataclass(frozen=True)
class Published:
    """One line of the table in document A."""

    dimension: Dimension
    th: str
    en: str
    reached: int
    in_need: int
    percent: str | None
    """As printed, with two decimals; None where no percentage is printed."""
    rule: Rule
    """The rounding under which the percentage comes out."""
    printed: str
    """What document A says."""
    not_printed: frozenset[Number]
    """The numbers that it does not say."""
    because_th: str
    because_en: str
    """How we came to these; names of `Number` in braces."""

    @property
    def inferred_th(self) -> str:
        return self._filled(self.because_th)

    @property
    def inferred(self) -> str:
        return self._filled(self.because_en)

    def _filled(self, text: str) -> str:
        return text.format(reached=thai.count(self.reached), in_need=thai.count(self.in_need), percent=self.percent)

    @property
    def roundings(self) -> thai.Percent:
        made = thai.percent(self.reached, self.in_need)
        assert made is not None  # noqa: S101 (no line of the table has nobody in need)
        return made

    @property
    def digits(self) -> str:
        """The percentage cut off behind four decimals: what neither rounding shows."""
        return f"{Decimal(self.reached * 1_000_000 // self.in_need).scaleb(-4):.4f}"


TABLE: tuple[Published, ...] = (
    Published(
        Dimension.WELFARE,
        "สวัสดิการ/เงินสงเคราะห์",
        "welfare, cash assistance",
        929,
        COHORT,
        "79.13",
        "half_up",
        "79.13%",
        frozenset({"reached", "in_need"}),
        "{reached} เป็นค่าอนุมาน: ตัวตั้งเดียวจาก {in_need} ที่ได้ {percent} %",
        "{reached} is inferred: the only numerator over {in_need} that gives {percent} %",
    ),
    Published(
        Dimension.HEALTH,
        "สุขภาพ (ดูแลเบื้องต้น)",
        "health, initial care",
        COHORT,
        COHORT,
        "100.00",
        "half_up",
        "100%",
        frozenset({"reached", "in_need"}),
        "{reached} / {in_need} เป็นค่าอนุมานจาก 100 %",
        "{reached} / {in_need} is inferred from 100 %",
    ),
    Published(
        Dimension.OCCUPATION,
        "อาชีพ/รายได้ การมีงานทำ (เบื้องต้น)",
        "occupation, income, employment, initial help",
        595,
        625,
        "95.20",
        "half_up",
        "95.20%",
        frozenset({"reached", "in_need"}),
        "{reached} / {in_need} เป็นข้อสมมุติ: เอกสารไม่ระบุตัวหาร และไม่มีจำนวนใดในเอกสารให้ {percent} %",
        "{reached} / {in_need} is assumed: no denominator is printed, and no count in the documents gives {percent} %",
    ),
    Published(
        Dimension.EDUCATION,
        "การศึกษา",
        "education",
        266,
        367,
        "72.47",
        "truncated",
        "266 ครัวเรือน 72.47%",
        frozenset({"in_need"}),
        "{in_need} เป็นค่าอนุมาน: ตัวหารเดียวที่ได้ {percent} % และได้เฉพาะเมื่อตัดเศษทิ้ง",
        "{in_need} is inferred: the only denominator that gives {percent} %, and only truncated",
    ),
    Published(
        Dimension.LIVING,
        "ความเป็นอยู่/ที่อยู่อาศัย",
        "living, housing",
        COHORT,
        COHORT,
        None,
        "half_up",
        "ครบ 1,174 ครัวเรือน",
        frozenset({"percent"}),
        "ร้อยละเป็นค่าอนุมาน: เอกสารไม่ระบุ",
        "the percentage is inferred: none is printed",
    ),
)
"""In the order of document A (2 November 2563)."""

BY_DIMENSION: dict[Dimension, Published] = {line.dimension: line for line in TABLE}
ROUNDED_DOWN: tuple[Published, ...] = tuple(line for line in TABLE if line.rule == "truncated")
"""The lines whose printed percentage comes out only where the rest is cut off."""
