"""The envelope: what is written can be read, in the order it was hashed; a changed byte is seen."""

from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.events import envelope
from shared.events.envelope import Envelope

text = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=20)
FROM, TO = datetime.fromisoformat("2000-01-01"), datetime.fromisoformat("2100-01-01")
maybe = st.none() | text
envelopes = st.builds(
    Envelope,
    id=st.uuids().map(str),
    type=text,
    source=text,
    recorded_at=st.datetimes(timezones=st.just(UTC), min_value=FROM, max_value=TO),
    stream=text,
    version=st.integers(1, 10**9),
    occurred_on=st.dates(date(1900, 1, 1), date(2400, 1, 1)),
    agency=text,
    actor=text,
    command_id=text,
    clock=st.sampled_from(["real", "simulated"]),
    prev_hash=st.just(envelope.GENESIS),
    reported_on=st.none() | st.dates(date(1900, 1, 1), date(2400, 1, 1)),
    correlation_id=maybe,
    causation_id=maybe,
    traceparent=maybe,
)


@given(envelopes, st.binary(max_size=50))
def test_what_is_written_is_read(told, value):
    named = envelope.headers(told)
    digest = envelope.chain_hash(envelope.canonical(named), value)
    assert envelope.read([*named, ("ce_hash", digest)]) == (told, digest)
    assert envelope.split(envelope.canonical(named)) == named
    assert envelope.canonical([*named, ("ce_hash", digest)]) == envelope.canonical(named)


@given(envelopes, st.binary(max_size=50))
def test_a_change_anywhere_changes_the_hash(told, value):
    def digest(changed, data):
        return envelope.chain_hash(envelope.canonical(envelope.headers(changed)), data)

    first = digest(told, value)
    assert first != digest(told, value + b" ")
    assert first != digest(told._replace(agency=told.agency + "x"), value)
    assert first != digest(told._replace(prev_hash="1" * 64), value)


def test_a_timestamp_is_utc_and_sorts_as_text():
    bangkok = datetime(2019, 9, 20, 7, 0, tzinfo=timezone(timedelta(hours=7)))
    assert envelope.timestamp(bangkok) == "2019-09-20T00:00:00.000000Z"
    assert envelope.timestamp(bangkok) < envelope.timestamp(bangkok + timedelta(microseconds=1))


@pytest.mark.parametrize("missing", ["ce_id", "ce_version", "ce_subject", "ce_hash", "ce_time"])
def test_a_missing_header_is_an_error_not_a_guess(missing):
    told = Envelope(
        "1", "T.v1", "/s", datetime(2020, 1, 1, tzinfo=UTC), "s-1", 1, date(2020, 1, 1), "a", "b", "c", "real", "0"
    )
    named = [h for h in [*envelope.headers(told), ("ce_hash", "x")] if h[0] != missing]
    with pytest.raises(KeyError):
        envelope.read(named)
