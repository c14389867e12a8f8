"""Whatever stands in the log, reading it never raises, never believes it, and never repeats its values."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.projections.decode import read
from services.projections.facts import Arrived, Unreadable
from tests.support.log import Log, Record, delivered, household, registered, resealed

KEY = household(1)
SECRET = "สมชาย ใจดี"


def good() -> Record:
    return Log().add(f"household-{KEY}", registered(KEY))


def header(record: Record, name: str, value: bytes | None) -> Record:
    """With one header changed, and the hash made to fit again."""
    changed = [(n, value if n == name else v) for n, v in record.headers]
    return resealed_raw(replace(record, headers=[(n, v) for n, v in changed if v is not None]))


def resealed_raw(record: Record) -> Record:
    from services.projections.decode import fingerprint

    headers = [(n, v) for n, v in record.headers if n != "ce_hash"]
    return replace(record, headers=[*headers, ("ce_hash", fingerprint(record).encode())])


def data(text: str) -> Callable[[Record], Record]:
    return lambda record: resealed(record, text.encode())


def more(before: str, text: str) -> Callable[[Record], Record]:
    """With `text` added behind the first `before`."""
    return lambda record: data((record.value or b"").decode().replace(before, before + text, 1))(record)


def test_a_sound_record_is_read():
    arrived = read(good())
    assert isinstance(arrived, Arrived)
    assert (arrived.stream, arrived.version, arrived.fact.key) == (f"household-{KEY}", 1, KEY)


BROKEN: dict[str, tuple[Callable[[Record], Record], str, bool]] = {
    # name: (how, the reason, whether the stream is still known)
    "no value": (lambda r: replace(r, value=None), "no value", False),
    "no headers": (lambda r: replace(r, headers=[]), "ce_specversion: missing", False),
    "header not UTF-8": (lambda r: header(r, "ce_agency", b"\xff"), "headers: not UTF-8", False),
    "NUL in a header": (lambda r: header(r, "ce_agency", b"a\0b"), "headers: NUL", False),
    "header twice": (
        lambda r: replace(r, headers=[*r.headers, ("ce_id", b"x")]),
        "headers: empty, or named twice",
        False,
    ),
    "other CloudEvents": (lambda r: header(r, "ce_specversion", b"2.0"), "ce_specversion: unknown", False),
    "no stream": (lambda r: header(r, "ce_subject", b"x" * 5000), "ce_subject: not a stream", False),
    "another service's stream": (
        lambda r: header(r, "ce_subject", b"pairing-" + KEY.encode()),
        "ce_subject: of another service",
        False,
    ),
    "another service's source": (
        lambda r: header(r, "ce_source", b"/siao/pairing"),
        "ce_subject: of another service",
        False,
    ),
    "another partition": (
        lambda r: replace(r, partition=(r.partition + 1) % 24),
        "ce_subject: in another place of the log",
        False,
    ),
    "another key": (lambda r: replace(r, key=b"hh_x"), "ce_subject: in another place of the log", False),
    "no version": (lambda r: header(r, "ce_version", "๑".encode()), "ce_version: not a version", False),
    "version 0": (lambda r: header(r, "ce_version", b"0"), "ce_version: not a version", False),
    "endless version": (lambda r: header(r, "ce_version", b"9" * 4000), "ce_version: not a version", False),
    "altered value": (lambda r: replace(r, value=(r.value or b"") + b" "), "the hash does not fit", True),
    "altered header": (
        lambda r: replace(r, headers=[(n, b"mallory" if n == "ce_actor" else v) for n, v in r.headers]),
        "the hash does not fit",
        True,
    ),
    "unknown type": (lambda r: header(r, "ce_type", b"HouseholdPainted.v1"), "ce_type: unknown", True),
    "type of another stream": (
        lambda r: header(
            resealed(r, Log().add(f"case-{KEY}", delivered(KEY, 1)).value or b""),
            "ce_type",
            b"InterventionDelivered.v1",
        ),
        "ce_type: of another kind of stream",
        True,
    ),
    "no UUID": (lambda r: header(r, "ce_id", b"1"), "ce_id: not a UUID", True),
    "endless agency": (lambda r: header(r, "ce_agency", b"a" * 5000), "ce_agency: not an agency", True),
    "no time": (lambda r: header(r, "ce_time", b"yesterday"), "ce_time: not a time", True),
    "time without a zone": (
        lambda r: header(r, "ce_time", b"2019-10-01T00:00:00"),
        "ce_time: without a zone, or out of range",
        True,
    ),
    "time out of range": (
        lambda r: header(r, "ce_time", b"0001-01-01T00:00:00+07:00"),
        "ce_time: without a zone, or out of range",
        True,
    ),
    "no day": (lambda r: header(r, "ce_occurredon", b"2562-13-01"), "ce_occurredon: not a day", True),
    "no JSON": (data("{"), "data: json_invalid", True),
    "JSON, but no object": (data("[]"), "data: model_type", True),
    "not UTF-8": (lambda r: resealed(r, b'{"household":"\xff"}'), "data: json_invalid", True),
    "endless nesting": (data('{"members":' + "[" * 100_000), "data: json_invalid", True),
    "a field of nobody's": (
        lambda r: resealed(r, (r.value or b"").replace(b"{", f'{{"{SECRET}":1,'.encode(), 1)),
        "data: extra_forbidden",
        True,
    ),
    "a name twice": (more("{", '"village":"40190101",'), "data: a name given twice", True),
    "a name twice, further in": (more('"members":[{', '"relation":"head",'), "data: a name given twice", True),
    "a name twice, behind an escape": (more("{", '"vill\\u0061ge":"40190101",'), "data: a name given twice", True),
    "another household": (
        lambda r: resealed(r, (r.value or b"").replace(KEY.encode(), household(2).encode(), 1)),
        "data: of another household or helper",
        True,
    ),
    "a name for a village": (
        lambda r: resealed(r, (r.value or b"").replace(b"40190101", SECRET.encode())),
        "data.village: string_pattern_mismatch",
        True,
    ),
}


@pytest.mark.parametrize(("how", "reason", "known"), BROKEN.values(), ids=BROKEN.keys())
def test_what_is_wrong_is_told_without_the_value(how: Callable[[Record], Record], reason: str, known: bool):
    found = read(how(good()))
    assert isinstance(found, Unreadable)
    assert found.reason == reason
    assert SECRET not in found.reason
    assert (found.stream, found.version) == ((f"household-{KEY}", 1) if known else ("", 0))


@given(
    st.binary(max_size=200) | st.none(),
    st.lists(st.tuples(st.sampled_from([n for n, _ in good().headers]) | st.text(max_size=5), st.binary() | st.none())),
)
@settings(max_examples=200, deadline=None)
def test_reading_never_raises(value: bytes | None, headers: list[tuple[str, bytes | None]]):
    assert isinstance(read(replace(good(), value=value, headers=headers)), Unreadable)


@given(st.data())
@settings(max_examples=200, deadline=None)
def test_one_flipped_byte_is_never_believed(data: st.DataObject):
    record = good()
    value = bytearray(record.value or b"")
    value[data.draw(st.integers(0, len(value) - 1))] ^= data.draw(st.integers(1, 255))
    assert isinstance(read(replace(record, value=bytes(value))), Unreadable)
