"""What people read for the codes: Thai first, English second. Thai words as documents A and B print them."""

from typing import NamedTuple

from shared.events.codes import Dimension, SubGroup


class Label(NamedTuple):
    th: str
    en: str


DIMENSIONS: dict[Dimension, Label] = {
    Dimension.WELFARE: Label("สวัสดิการ/เงินสงเคราะห์", "Welfare, cash assistance"),
    Dimension.HEALTH: Label("สุขภาพ (ดูแลเบื้องต้น)", "Health, initial care"),
    Dimension.OCCUPATION: Label("อาชีพ/รายได้ การมีงานทำ", "Occupation, income, employment"),
    Dimension.EDUCATION: Label("การศึกษา", "Education"),
    Dimension.LIVING: Label("ความเป็นอยู่/ที่อยู่อาศัย", "Living conditions, housing"),
}
"""Document A, in its order."""

SUB_GROUPS: dict[SubGroup, Label] = {
    SubGroup.OCCUPATION: Label("ด้านการพัฒนาอาชีพและรายได้", "Occupation and income"),
    SubGroup.QUALITY_OF_LIFE: Label("ด้านการพัฒนาคุณภาพชีวิตผู้ด้อยโอกาส", "Quality of life of the disadvantaged"),
    SubGroup.DEBT: Label("ด้านการแก้ไขปัญหาหนี้ครัวเรือนและเงินทุนประกอบอาชีพ", "Household debt and working capital"),
    SubGroup.MARKETING: Label("ด้านการส่งเสริมและพัฒนาการตลาด", "Marketing"),
    SubGroup.PUBLIC_RELATIONS: Label("ด้านการประชาสัมพันธ์", "Public relations"),
    SubGroup.ACADEMIC: Label("ด้านที่ปรึกษาวิชาการ", "Academic advice"),
}
NO_OWNER = Label("ยังไม่มีเจ้าภาพ", "No owner")


class Published(NamedTuple):
    """One row of document A: what it prints, and what is inferred from it."""

    printed: str
    inferred: Label | None


PUBLISHED: dict[Dimension, Published] = {
    Dimension.WELFARE: Published("79.13 %", Label("929 จาก 1,174 ครัวเรือน", "929 of 1,174 households")),
    Dimension.HEALTH: Published("100 %", Label("1,174 จาก 1,174 ครัวเรือน", "1,174 of 1,174 households")),
    Dimension.OCCUPATION: Published(
        "95.20 %", Label("595 จาก 625 ครัวเรือน (ข้อสมมุติ)", "595 of 625 households (an assumption)")
    ),
    Dimension.EDUCATION: Published("266 ครัวเรือน = 72.47 %", Label("ตัวหาร 367 ครัวเรือน", "denominator 367 households")),
    Dimension.LIVING: Published("ครบ 1,174 ครัวเรือน", None),
}
"""Document A (2 November 2563). 266 of 367 is 72.4795…: printed truncated, 72.48 rounded half up."""
