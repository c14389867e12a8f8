"""What a field should have held, for a clerk, in English and Thai. From pydantic's error types; never quotes input."""

from pydantic_core import ErrorDetails

Said = tuple[str, str]

_BY_PATTERN: dict[str, Said] = {
    "^[0-9]{4}$": ("a district code of 4 digits", "รหัสอำเภอ 4 หลัก"),
    "^[0-9]{6}(0[1-9]|[1-9][0-9])$": (
        "a village code of 8 digits: province, district, subdistrict, village",
        "รหัสหมู่บ้าน 8 หลัก (จังหวัด อำเภอ ตำบล หมู่บ้าน)",
    ),
    "^[0-9]{1,6}/[0-9]{4}$": ("an order number such as 3091/2562", "เลขที่คำสั่ง เช่น 3091/2562"),
    r"^[a-z0-9][a-z0-9-]{0,58}[a-z0-9]$": (
        "a short name of lower-case letters, digits and hyphens",
        "ชื่อย่อเป็นตัวพิมพ์เล็ก ตัวเลข หรือขีดกลาง",
    ),
    r"^[\x21-\x7e]+$": ("printable ASCII characters without spaces", "อักษรภาษาอังกฤษหรือตัวเลข ไม่มีเว้นวรรค"),
    **{
        f"^{prefix}_[0-9a-z]{{20}}$": (
            f"an id such as {prefix}_ and 20 letters or digits",
            f"รหัส {prefix}_ ตามด้วย 20 ตัว",
        )
        for prefix in ("hh", "hp", "pr", "iv")
    },
}

_BY_KIND: tuple[tuple[str, Said], ...] = (
    (
        "date_or_moment",
        (
            "a date (YYYY-MM-DD), or a time with its zone (2020-01-31T17:00:00+07:00)",
            "วันที่ (ปปปป-ดด-วว) หรือเวลาพร้อมเขตเวลา (ค.ศ.)",
        ),
    ),
    ("date", ("a date written YYYY-MM-DD", "วันที่ในรูปแบบ ปปปป-ดด-วว (ค.ศ.)")),
    ("decimal", ("an amount in baht with at most two decimals", "จำนวนเงินบาท ทศนิยมไม่เกินสองตำแหน่ง")),
    ("int", ("a whole number", "จำนวนเต็ม")),
    ("bool", ("true or false", "true หรือ false")),
    ("tuple", ("a list", "รายการ")),
    ("string_type", ("a text", "ข้อความ")),
    ("model_type", ("an object", "ออบเจ็กต์")),
    ("control_character", ("text without control characters", "ข้อความที่ไม่มีอักขระควบคุม")),
)
"""By the beginning of pydantic's error type."""

_BY_LIMIT: dict[str, tuple[str, Said]] = {
    "string_too_short": ("min_length", ("at least {} characters", "อย่างน้อย {} ตัวอักษร")),
    "string_too_long": ("max_length", ("at most {} characters", "ไม่เกิน {} ตัวอักษร")),
    "too_short": ("min_length", ("at least {} entries", "อย่างน้อย {} รายการ")),
    "too_long": ("max_length", ("at most {} entries", "ไม่เกิน {} รายการ")),
    "greater_than_equal": ("ge", ("at least {}", "อย่างน้อย {}")),
    "less_than_equal": ("le", ("at most {}", "ไม่เกิน {}")),
    "text_length": ("limit", ("between 1 and {} characters", "1 ถึง {} ตัวอักษร")),
    "enum": ("expected", ("one of {}", "ค่าใดค่าหนึ่งใน {}")),
    "literal_error": ("expected", ("one of {}", "ค่าใดค่าหนึ่งใน {}")),
}
"""pydantic's error type -> the entry of its context that is the limit, and how it is said."""


def said(error: ErrorDetails) -> Said:
    """(English, Thai); a type that is in no table gets a sentence that is true of all."""
    kind, context = error["type"], error.get("ctx", {})
    if kind == "string_pattern_mismatch":
        return _BY_PATTERN[context["pattern"]]
    if kind in _BY_LIMIT:
        entry, (en, th) = _BY_LIMIT[kind]
        limit = str(context[entry])
        return en.format(limit), th.format(limit.replace(" or ", " หรือ "))
    fitting = (words for beginning, words in _BY_KIND if kind.startswith(beginning))
    return next(fitting, ("what the documentation of this field says", "ตามที่คู่มือของช่องนี้กำหนด"))
