"""Everything that can be refused, and how it is said in both languages.

SiaoError
├── Rejected         a rule, or the input, said no; told to the caller as a problem document (RFC 9457)
└── Misconfigured    the process cannot start as it was set up; told to the operator in one sentence
"""

from dataclasses import dataclass


class SiaoError(Exception):
    pass


class Misconfigured(SiaoError):
    pass


class Rejected(SiaoError):
    """Says no with a code of `CATALOG`. `facts` may be shown: ids, codes, limits; never a personal value."""

    def __init__(self, code: str, *, field: str | None = None, **facts: object) -> None:
        super().__init__(code)
        self.code, self.field, self.facts = code, field, facts

    @property
    def problem(self) -> "Problem":
        return CATALOG[self.code]


@dataclass(frozen=True)
class Problem:
    """One kind of refusal. `{name}` in a text is filled from the facts; `retryable` says that waiting can help."""

    status: int
    en: str
    th: str
    retryable: bool = False


CATALOG: dict[str, Problem] = {
    # what was sent cannot be read
    "json_malformed": Problem(400, "The body is not valid JSON.", "เนื้อหาที่ส่งมาไม่ใช่ JSON ที่ถูกต้อง"),
    "json_not_object": Problem(
        400, "The body is valid JSON, but not one JSON object.", "เนื้อหาเป็น JSON ที่ถูกต้อง แต่ไม่ใช่ออบเจ็กต์เดียว"
    ),
    "json_duplicate_name": Problem(400, "An object holds this name twice.", "ออบเจ็กต์มีชื่อนี้ซ้ำกันสองครั้ง"),
    "request_malformed": Problem(400, "The request cannot be read.", "อ่านคำขอนี้ไม่ได้"),
    "nul_byte": Problem(400, "The body holds a NUL character.", "เนื้อหามีอักขระ NUL ซึ่งไม่อนุญาต"),
    "body_too_large": Problem(413, "The body is over the limit of {limit} bytes.", "เนื้อหาใหญ่เกินกำหนด {limit} ไบต์"),
    "too_many_lines": Problem(413, "More than {limit} lines.", "มีมากกว่า {limit} บรรทัด"),
    "command_unknown": Problem(422, "This service knows no command of that type and version.", "ไม่รู้จักคำสั่งชนิดหรือรุ่นนี้"),
    "event_too_large": Problem(413, "The event would be over {limit} bytes.", "ข้อมูลใหญ่เกินกำหนด {limit} ไบต์"),
    # a field is wrong
    "field_missing": Problem(422, "This field is missing.", "ไม่ได้กรอกช่องนี้"),
    "field_unknown": Problem(422, "There is no field of this name.", "ไม่มีช่องข้อมูลชื่อนี้"),
    "field_invalid": Problem(
        422, "This field does not fit: it should be {expected}.", "ข้อมูลช่องนี้ไม่ถูกต้อง ต้องเป็น {expected_th}"
    ),
    "buddhist_year": Problem(
        422,
        "The year is in the Buddhist era; subtract 543 and send a common-era year (2019, not 2562).",
        "ปีเป็นพุทธศักราช กรุณาลบ 543 แล้วส่งเป็นคริสต์ศักราช",
    ),
    "date_too_early": Problem(422, "The date is before 1900.", "วันที่ก่อนปี ค.ศ. 1900"),
    "date_in_future": Problem(
        422, "The date is after today, {today} by this system's clock.", "วันที่อยู่หลังวันนี้ ({today} ตามนาฬิกาของระบบ)"
    ),
    "known_at_in_future": Problem(
        422,
        "Nobody knows yet what will be known then: it is {now} by this system's clock.",
        "ยังไม่ถึงเวลานั้น ขณะนี้ {now} ตามนาฬิกาของระบบ",
    ),
    "amount_negative": Problem(422, "An amount of money cannot be negative.", "จำนวนเงินติดลบไม่ได้"),
    "named_twice": Problem(422, "A dimension is named twice.", "ระบุด้านเดียวกันซ้ำ"),
    "place_unknown": Problem(422, "No such subdistrict or district: {place}.", "ไม่พบตำบลหรืออำเภอรหัส {place}"),
    "place_outside_province": Problem(
        422,
        "The place {place} lies outside the programme's province, Khon Kaen (40).",
        "รหัสพื้นที่ {place} อยู่นอกจังหวัดขอนแก่น (40) ซึ่งเป็นจังหวัดของโครงการ",
    ),
    "clock_invalid": Problem(
        400,
        "Siao-Simulated-Clock must be a time with a zone that has passed already.",
        "Siao-Simulated-Clock ต้องเป็นเวลาที่มีเขตเวลาและผ่านมาแล้ว",
    ),
    "clock_not_simulated": Problem(400, "This system runs on the real clock.", "ระบบนี้ใช้นาฬิกาจริง ไม่รับเวลาจำลอง"),
    # a rule of the domain
    "household_unknown": Problem(
        409, "Nobody registered this household, or not yet.", "ไม่พบครัวเรือนนี้ หรือยังไม่ได้ขึ้นทะเบียน", retryable=True
    ),
    "household_registered_otherwise": Problem(
        409, "This household is registered already, with other details.", "ครัวเรือนนี้ขึ้นทะเบียนแล้วด้วยข้อมูลอื่น"
    ),
    "household_duplicate": Problem(
        409,
        "A member of this household is registered already, in household {household}.",
        "สมาชิกของครัวเรือนนี้ขึ้นทะเบียนแล้วในครัวเรือน {household}",
    ),
    "lived_elsewhere": Problem(
        409,
        "On {day} this household lived in village {village}, not in the one that was recoded.",
        "เมื่อ {day} ครัวเรือนนี้อยู่ในหมู่บ้าน {village} ไม่ใช่หมู่บ้านที่เปลี่ยนรหัส",
    ),
    "person_named_twice": Problem(422, "A person is named twice.", "ระบุบุคคลเดียวกันซ้ำ"),
    "household_voided": Problem(
        409, "The registration of this household was voided: it never was.", "การขึ้นทะเบียนครัวเรือนนี้ถูกยกเลิกแล้ว ถือว่าไม่เคยมี"
    ),
    "household_merged": Problem(
        409,
        "This household was merged into household {household}; use that one.",
        "ครัวเรือนนี้รวมเข้ากับครัวเรือน {household} แล้ว กรุณาใช้ครัวเรือนนั้น",
    ),
    "merges_into_itself": Problem(422, "A household cannot be merged into itself.", "รวมครัวเรือนเข้ากับตัวเองไม่ได้"),
    "household_not_merged": Problem(
        409, "This household is not merged into that one.", "ครัวเรือนนี้ไม่ได้รวมอยู่กับครัวเรือนที่ระบุ"
    ),
    "unmerged_before_merged": Problem(
        409, "The two were merged on {day}, after this date.", "สองครัวเรือนนี้รวมกันเมื่อ {day} ซึ่งหลังวันที่ระบุ"
    ),
    "household_holds_merged": Problem(
        409,
        "Household {household} is merged into this one; take it out first.",
        "ครัวเรือน {household} รวมอยู่กับครัวเรือนนี้ กรุณาแยกออกก่อน",
    ),
    "helper_unknown": Problem(
        409, "Nobody enrolled this helper, or not yet.", "ไม่พบผู้ช่วยเหลือคนนี้ หรือยังไม่ได้ขึ้นทะเบียน", retryable=True
    ),
    "helper_enrolled_otherwise": Problem(
        409, "This helper is enrolled already, with other details.", "ผู้ช่วยเหลือคนนี้ขึ้นทะเบียนแล้วด้วยข้อมูลอื่น"
    ),
    "helper_full": Problem(
        409, "This helper already looks after {capacity} households.", "ผู้ช่วยเหลือคนนี้ดูแลครบ {capacity} ครัวเรือนแล้ว"
    ),
    "household_already_paired": Problem(409, "This household already has a lead helper.", "ครัวเรือนนี้มีคู่เสี่ยวหลักอยู่แล้ว"),
    "pair_unknown": Problem(409, "These two are not a pair.", "ครัวเรือนและผู้ช่วยเหลือนี้ไม่ได้เป็นคู่กัน"),
    "other_district_needs_reason_and_order": Problem(
        409,
        "The helper serves in district {helper_district}, the household lives in {household_district}: "
        "give a reason and an order number.",
        "ผู้ช่วยเหลืออยู่อำเภอ {helper_district} แต่ครัวเรือนอยู่อำเภอ {household_district}: ต้องระบุเหตุผลและเลขที่คำสั่ง",
    ),
    "before_registration": Problem(
        409, "The date is before {day}, when this was registered.", "วันที่อยู่ก่อนวันขึ้นทะเบียน {day}"
    ),
    "pair_assigned_otherwise": Problem(
        409,
        "These two are a pair since {day} already, as {role} or with other details.",
        "ครัวเรือนและผู้ช่วยเหลือนี้เป็นคู่กันอยู่แล้วตั้งแต่ {day} ในบทบาท {role} หรือด้วยข้อมูลอื่น",
    ),
    "overlaps_earlier_pair": Problem(
        409,
        "An earlier pair lasted until {day}; this one cannot begin before.",
        "คู่เดิมสิ้นสุดเมื่อ {day} คู่ใหม่จึงเริ่มก่อนวันนั้นไม่ได้",
    ),
    "ends_before_it_began": Problem(409, "The pair began on {day}, after this date.", "คู่นี้เริ่มเมื่อ {day} ซึ่งหลังวันที่ระบุ"),
    "intervention_recorded_otherwise": Problem(
        409, "This intervention is recorded already, with other details.", "บันทึกความช่วยเหลือนี้ไว้แล้วด้วยข้อมูลอื่น"
    ),
    "exit_recorded_otherwise": Problem(
        409, "This exit is recorded already, with other details.", "บันทึกการออกจากโครงการนี้ไว้แล้วด้วยข้อมูลอื่น"
    ),
    "household_exited": Problem(
        409,
        "This household exited the programme on {day}; a new pair begins after that day, once the household is back.",
        "ครัวเรือนนี้ออกจากโครงการเมื่อ {day} คู่ใหม่ต้องเริ่มหลังวันนั้น เมื่อครัวเรือนกลับเข้าโครงการแล้ว",
    ),
    "exited_that_day": Problem(
        409,
        "Another exit of this household is recorded of {day}; correct or void that one.",
        "บันทึกการออกจากโครงการของครัวเรือนนี้ในวันที่ {day} ไว้แล้ว กรุณาแก้ไขหรือยกเลิกรายการนั้น",
    ),
    "verified_too_late": Problem(
        422,
        "An exit is verified by the community, then by the subdistrict, then by the district, each at the latest on "
        "the day of the next and of the exit; this is after {day}.",
        "การออกจากโครงการต้องรับรองโดยชุมชน ตำบล และอำเภอตามลำดับ ไม่ช้ากว่าวันรับรองขั้นถัดไปและวันออก ข้อมูลนี้อยู่หลังวันที่ {day}",
    ),
    # correcting and voiding
    "entry_unknown": Problem(
        409, "Nothing of this kind is recorded under this number.", "ไม่มีรายการชนิดนี้บันทึกไว้ตามหมายเลขที่ระบุ"
    ),
    "entry_voided": Problem(
        409, "This entry was voided; record it anew if it was so after all.", "รายการนี้ถูกยกเลิกแล้ว หากเป็นจริงกรุณาบันทึกใหม่"
    ),
    "not_the_publisher": Problem(
        403,
        "Only {agency}, which recorded this, or the secretariat may change it.",
        "เฉพาะหน่วยงาน {agency} ผู้บันทึก หรือฝ่ายเลขานุการเท่านั้นที่แก้ไขรายการนี้ได้",
    ),
    "secretariat_only": Problem(403, "Only the secretariat may do this.", "เฉพาะฝ่ายเลขานุการเท่านั้นที่ทำรายการนี้ได้"),
    "after_what_follows": Problem(
        409,
        "Something that came later is recorded of {day}; this cannot be after it.",
        "มีรายการที่เกิดขึ้นภายหลังบันทึกไว้เมื่อ {day} รายการนี้จึงอยู่หลังวันนั้นไม่ได้",
    ),
    "helper_voided": Problem(409, "The enrolment of this helper was voided.", "การขึ้นทะเบียนผู้ช่วยเหลือคนนี้ถูกยกเลิกแล้ว"),
    "helper_has_pairs": Problem(
        409,
        "This helper still looks after households ({pairs}); end or void these pairs first.",
        "ผู้ช่วยเหลือคนนี้ยังดูแลครัวเรือนอยู่ ({pairs}) กรุณาสิ้นสุดหรือยกเลิกคู่เหล่านี้ก่อน",
    ),
    "pairs_overlap": Problem(
        409,
        "It would overlap another pair of this household that began on {day}.",
        "ช่วงเวลาจะซ้อนกับอีกคู่หนึ่งของครัวเรือนนี้ที่เริ่มเมื่อ {day}",
    ),
    "command_id_reused": Problem(
        409,
        "This agency used this command id before, for another body; nothing was recorded now.",
        "หน่วยงานเคยใช้รหัสคำสั่งนี้กับข้อมูลอื่นแล้ว ครั้งนี้ยังไม่ได้บันทึก",
    ),
    # who asks
    "token_missing": Problem(401, "Send a token: Authorization: Bearer …", "กรุณาส่งโทเคน: Authorization: Bearer …"),
    "token_invalid": Problem(401, "The token was not issued for this system.", "โทเคนนี้ไม่ได้ออกให้ระบบนี้"),
    "token_expired": Problem(401, "The token has expired; ask for a new one.", "โทเคนหมดอายุ กรุณาขอใหม่"),
    "cross_site_sign_in": Problem(
        403,
        "Another site sent this; sign in from this system's own page.",
        "คำขอนี้มาจากเว็บไซต์อื่น กรุณาเข้าสู่ระบบจากหน้าของระบบนี้เอง",
    ),
    "forbidden": Problem(403, "Your role, {role}, may not do this.", "บทบาท {role} ไม่มีสิทธิ์ทำรายการนี้"),
    "cell_too_small": Problem(
        403,
        "Figures of a village can name a person; your role, {role}, may not see them.",
        "ตัวเลขระดับหมู่บ้านอาจระบุตัวบุคคลได้ บทบาท {role} ไม่มีสิทธิ์ดู",
    ),
    "outside_area": Problem(
        403,
        "Your token is for districts {districts}, one household or district at a time.",
        "โทเคนของท่านใช้ได้เฉพาะอำเภอ {districts} ครั้งละหนึ่งครัวเรือนหรือหนึ่งอำเภอ",
    ),
    # reading
    "not_found": Problem(404, "Nothing is known under this id.", "ไม่พบข้อมูลตามรหัสนี้"),
    "route_unknown": Problem(404, "There is no such address here.", "ไม่มีที่อยู่นี้ในระบบ"),
    "method_not_allowed": Problem(405, "This address does not take that method.", "ที่อยู่นี้ไม่รับวิธีเรียกแบบนี้"),
    "not_yet_visible": Problem(
        503, "What Siao-After asks for has not arrived yet.", "ข้อมูลที่ Siao-After ระบุยังมาไม่ถึง", retryable=True
    ),
    # the system itself
    "unavailable": Problem(
        503,
        "The store cannot be reached now. Send it again under the same id: it is recorded once.",
        "ติดต่อที่เก็บข้อมูลไม่ได้ กรุณาส่งใหม่ด้วยรหัสเดิม ระบบจะบันทึกเพียงครั้งเดียว",
        retryable=True,
    ),
    "awaits_rebuild": Problem(
        503,
        "This is answered from tables that are still to be made: whoever runs this system gives `./siao rebuild`.",
        "คำถามนี้ต้องใช้ตารางที่ยังไม่ได้สร้าง ผู้ดูแลระบบต้องสั่ง ./siao rebuild ก่อน",
        retryable=True,
    ),
    "answer_lost": Problem(
        503,
        "The service went away before it answered: it may or may not be recorded. Send it again under the same id.",
        "ระบบขาดการติดต่อก่อนตอบกลับ อาจบันทึกแล้วหรือยังไม่บันทึก กรุณาส่งใหม่ด้วยรหัสคำสั่งเดิม",
        retryable=True,
    ),
    "internal": Problem(
        500, "Something broke here; it was logged under {trace}.", "ระบบขัดข้อง บันทึกไว้แล้วภายใต้ {trace}", retryable=True
    ),
}
"""Code -> what it means. The codes are part of the public contract: they are added to, never changed."""
