"""Read your own writes: `Siao-Version` of an answer, sent back as `Siao-After`."""

from shared.errors import Rejected

MAX_STREAMS = 100
MAX_DIGITS = 9
"""Of a version, so that it fits PostgreSQL's integer: 999,999,999 < 2^31."""


def parse(header: str | None) -> dict[str, int]:
    """`stream@version,…` -> stream -> version. Raises Rejected field_invalid."""
    if not header:
        return {}
    wanted: dict[str, int] = {}
    for part in header.split(","):
        stream, _, version = part.strip().rpartition("@")
        if not stream or not _is_version(version) or len(wanted) == MAX_STREAMS:
            raise Rejected(
                "field_invalid",
                field="Siao-After",
                expected=f"stream@version of at most {MAX_DIGITS} digits, at most {MAX_STREAMS} of them",
                expected_th=f" stream@version ไม่เกิน {MAX_DIGITS} หลัก และไม่เกิน {MAX_STREAMS} รายการ",
            )
        wanted[stream] = max(int(version), wanted.get(stream, 0))
    return wanted


def _is_version(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= MAX_DIGITS
