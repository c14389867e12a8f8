"""What the two documents print, and what follows from it: the figures that the demonstration must reproduce.

A: the governor's interview of 2 November 2563. B: citizen report no. 35 of 27 October 2563.
"""

from dataclasses import dataclass
from datetime import date
from typing import Literal

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

PROGRAMME_BEGINS = date(2019, 9, 20)
"""20 September 2562 (B)."""
INTERVIEW = date(2020, 11, 2)
"""2 November 2563, the day of the published table (A)."""


@dataclass(frozen=True)
class Published:
    """One line of the table. `percent` is as printed; `rule` is the rounding under which it comes out."""

    dimension: Dimension
    th: str
    en: str
    reached: int
    in_need: int
    percent: str | None
    rule: Literal["half_up", "truncated"]
    printed: str
    """What document A says."""
    inferred: str
    """What it does not say, and how we came to it."""
    inferred_th: str


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
        "929 is inferred: the only numerator over 1,174 that gives 79.13 %",
        "929 เป็นค่าอนุมาน: ตัวตั้งเดียวจาก 1,174 ที่ได้ 79.13 %",
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
        "1,174 / 1,174 is inferred from 100 %",
        "1,174 / 1,174 เป็นค่าอนุมานจาก 100 %",
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
        "595 / 625 is assumed: no denominator is printed, and no count in the documents gives 95.20 %",
        "595 / 625 เป็นข้อสมมุติ: เอกสารไม่ระบุตัวหาร และไม่มีจำนวนใดในเอกสารให้ 95.20 %",
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
        "367 is inferred: the only denominator that gives 72.47 %, and only truncated",
        "367 เป็นค่าอนุมาน: ตัวหารเดียวที่ได้ 72.47 % และได้เฉพาะเมื่อตัดเศษทิ้ง",
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
        "the percentage is inferred: none is printed",
        "ร้อยละเป็นค่าอนุมาน: เอกสารไม่ระบุ",
    ),
)
