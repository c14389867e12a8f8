"""What each count of pairing and of the working groups' workload counts, and what it is a part of."""

from services.gateway.models import Counted
from shared.definitions import DEFAULT, DEFINITIONS


def _pairing(name: str, th: str, en: str, of: str | None = None) -> Counted:
    return Counted(id=f"pairing-1/{name}", th=th, en=en, of=of)


def _work(measure: str, th: str, en: str, of: str | None = None) -> Counted:
    return Counted(id=f"{DEFAULT}/{measure}", th=th, en=en, of=of)


PAIRING: dict[str, Counted] = {
    "helpers": _pairing("helpers", "ข้าราชการคู่เสี่ยวที่ขึ้นทะเบียน", "Officers enrolled."),
    "households": _pairing(
        "households", "ครัวเรือนที่ขึ้นทะเบียนและยังไม่ออกจากโครงการ", "Households registered that have not exited."
    ),
    "holding_two": _pairing(
        "holding_two", "ดูแลสองครัวเรือนขึ้นไปเป็นหลัก", "Officers who lead two households or more.", "helpers"
    ),
    "holding_one": _pairing("holding_one", "ดูแลหนึ่งครัวเรือนเป็นหลัก", "Officers who lead one household.", "helpers"),
    "holding_none": _pairing("holding_none", "ยังไม่ได้ดูแลครัวเรือนเป็นหลัก", "Officers who lead none.", "helpers"),
    "capacity": _pairing("capacity", "จำนวนที่รับได้ คนละสองครัวเรือน", "Households they can lead, two an officer."),
    "spare": _pairing("spare", "จำนวนที่ยังรับเพิ่มได้", "Of that, what is not taken.", "capacity"),
    "unpaired": _pairing("unpaired", "ครัวเรือนที่ยังไม่มีผู้ดูแลหลัก", "Households without a lead.", "households"),
    "exited": _pairing(
        "exited", "ครัวเรือนที่ออกจากโครงการแล้ว", "Households that have exited; not among those registered."
    ),
    "stale_pairs": _pairing(
        "stale_pairs",
        "คู่ที่ครัวเรือนย้ายออกจากอำเภอของข้าราชการ",
        "Those that moved away from their officer.",
        "households",
    ),
}
"""Field of PairingSums -> its definition. Only officers are counted as helpers (documents A and B), only lead pairs."""

WORK: dict[str, Counted] = {
    "need": _work("need", DEFINITIONS[DEFAULT].need.th, DEFINITIONS[DEFAULT].need.en),
    "open": _work("unreached", "ยังจำเป็น และยังไม่ได้รับความช่วยเหลือเลย", "In need still, and not reached at all.", "need"),
    "unresolved": _work("unresolved", "ยังจำเป็น ไม่ว่าได้รับความช่วยเหลือแล้วหรือไม่", "In need still, reached or not.", "need"),
    "done": _work("resolved", "พ้นแล้ว", "No longer in need.", "need"),
}
"""Field of Work -> its definition, of each dimension; a desk's figures are sums over its dimensions."""
