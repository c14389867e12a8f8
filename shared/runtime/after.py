"""Read your own writes: `Siao-Version` of an answer, sent back as `Siao-After`."""

from shared.errors import Rejected

MAX_STREAMS = 100


def parse(header: str | None) -> dict[str, int]:
    """`stream@version,…` -> stream -> version. Raises Rejected field_invalid."""
    if not header:
        return {}
    wanted: dict[str, int] = {}
    for part in header.split(","):
        stream, _, version = part.strip().rpartition("@")
        if not stream or not version.isascii() or not version.isdigit() or len(wanted) == MAX_STREAMS:
            raise Rejected(
                "field_invalid",
                field="Siao-After",
                expected="stream@version, at most 100 of them",
                expected_th=" stream@version ไม่เกิน 100 รายการ",
            )
        wanted[stream] = max(int(version), wanted.get(stream, 0))
    return wanted
