"""What people read for the codes: Thai first, English second. Thai words as documents A and B print them."""

from typing import NamedTuple

from shared.events.codes import Dimension, ExitReason, SubGroup, VoidReason


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
CAUSES: dict[str, Label] = {
    "registration": Label("ขึ้นทะเบียนครัวเรือน", "Household registered"),
    "new_need": Label("พบความจำเป็นใหม่", "New need"),
    "need_ended": Label("ประเมินว่าพ้นความจำเป็นแล้ว", "Need ended, by assessment"),
    "new_help": Label("ได้รับความช่วยเหลือ", "New help"),
    "reclassification": Label("เปลี่ยนประเภทครัวเรือน", "Reclassification"),
    "correction": Label("แก้ไขหรือยกเลิกข้อมูล", "Correction"),
    "move": Label("ย้ายที่อยู่", "Move"),
    "exit": Label("ออกจากโครงการ", "Exit from the programme"),
    "recoding": Label("รหัสพื้นที่เปลี่ยน", "Place recoded"),
    "merge": Label("รวมหรือแยกครัวเรือน", "Merge, or its undoing"),
}
"""Why a figure of coverage changed."""

MEASURES: dict[str, Label] = {
    "numerator": Label("เข้าถึง", "reached"),
    "denominator": Label("จำเป็น", "in need"),
    "open": Label("ยังไม่เข้าถึง", "not reached yet"),
    "resolved": Label("พ้นแล้ว", "no longer in need"),
    "outside_need": Label("ช่วยนอกความจำเป็น", "helped outside need"),
}
"""What coverage counts, by the names of its answers."""

ENDS: dict[str, Label] = {"from": Label("จาก", "From"), "to": Label("ถึง", "To")}
CLOCKS: dict[str, Label] = {
    "valid_on": Label("สถานการณ์ในวันที่", "the situation on"),
    "known_at": Label("ตามที่บันทึกถึงสิ้นวันที่", "as recorded until"),
}
"""The two clocks of a question about change, at each of its ends."""

LEVELS: dict[str, Label] = {
    "province": Label("จังหวัด", "province"),
    "district": Label("อำเภอ", "district"),
    "subdistrict": Label("ตำบล", "subdistrict"),
    "village": Label("หมู่บ้าน", "village"),
}
EXIT_REASONS: dict[ExitReason, Label] = {
    ExitReason.LIFTED_OUT: Label("พ้นความยากจนแล้ว", "Lifted out of poverty"),
    ExitReason.MOVED_AWAY: Label("ย้ายออกนอกจังหวัด", "Moved out of the province"),
    ExitReason.DISSOLVED: Label("ไม่มีผู้อยู่อาศัยแล้ว", "Nobody lives there any more"),
}
VOID_REASONS: dict[VoidReason, Label] = {
    VoidReason.ENTERED_TWICE: Label("บันทึกซ้ำ", "Entered twice"),
    VoidReason.WRONG_HOUSEHOLD: Label("บันทึกผิดครัวเรือน", "Meant another household"),
    VoidReason.NEVER_HAPPENED: Label("ไม่เคยเกิดขึ้นจริง", "Never happened"),
}
NO_OWNER = Label("ยังไม่มีเจ้าภาพ", "No owner")
