"""What a follower makes of the records it reads."""

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest
from aiokafka import ConsumerRecord
from hypothesis import given
from hypothesis import strategies as st

from shared.events import catalog, envelope
from shared.events.registry import HouseholdRegistered
from shared.events.topics import partition_of
from shared.runtime.follower import fold, read
from shared.runtime.known_household import Household, Unreadable, follow

HOUSEHOLD = "hh_" + "a" * 20
DAY = date(2019, 10, 1)
VILLAGE = "40190101"
REGISTERED = catalog.encode(HouseholdRegistered(occurred_on=DAY, household=HOUSEHOLD, village=VILLAGE, members=()))


def told(
    version: int, type_name: str = "NeedsAssessed.v1", stream: str = f"household-{HOUSEHOLD}"
) -> envelope.Envelope:
    return envelope.Envelope(
        id="7e57ab1e-0000-4000-8000-000000000000",
        type=HouseholdRegistered.type if version == 1 else type_name,
        source="/siao/registry",
        recorded_at=datetime(2019, 10, 1, tzinfo=UTC),
        stream=stream,
        version=version,
        occurred_on=DAY,
        agency="example-office",
        actor="ac-test",
        command_id="c-1",
        clock="real",
        prev_hash=envelope.GENESIS,
    )


def record(of: envelope.Envelope, value: bytes = REGISTERED) -> ConsumerRecord:
    headers = envelope.headers(of)
    digest = envelope.chain_hash(envelope.canonical(headers), value)
    named = tuple((name, text.encode()) for name, text in [*headers, ("ce_hash", digest)])
    place = ("siao.registry.v1", partition_of(of.key))
    return ConsumerRecord(*place, 0, 0, 0, of.key.encode(), value, None, 0, len(value), named)


@pytest.mark.parametrize(
    "changed", [{"value": REGISTERED + b" "}, {"key": b"hh_b"}, {"partition": 25}], ids=["altered", "key", "partition"]
)
def test_what_was_altered_or_put_elsewhere_is_put_aside(changed):
    readable, poison = read([replace(record(told(1)), **changed)])
    assert (readable, len(poison)) == ([], 1)


def test_a_household_is_known_from_its_registration_on():
    assert follow(None, told(1), REGISTERED) == Household(VILLAGE, 1)


def test_later_events_of_any_type_move_the_version():
    assert follow(Household(VILLAGE, 1), told(2, "NeverHeardOf.v9"), b"\xff") == Household(VILLAGE, 2)


@given(st.lists(st.integers(1, 6)))
def test_repeats_and_gaps_change_nothing(versions):
    """Whatever comes, in whatever order: what is known is the longest 1, 2, 3 … in it."""
    records = [record(told(version)) for version in versions]
    changed, poison = fold({}, read(records)[0])
    reached = 0
    for version in versions:
        reached += version == reached + 1
    assert poison == []
    assert changed == ({HOUSEHOLD: Household(VILLAGE, reached)} if reached else {})


@pytest.mark.parametrize(
    ("first", "value"),
    [
        (told(1), b""),
        (told(1), b"{}"),
        (told(1), b'{"\\u0000":1}'),
        (told(1), b"\xff"),
        (told(1), b"[" * 100_000),
        (replace(told(1), type="NeverHeardOf.v9"), REGISTERED),
        (replace(told(1), type="NeedsAssessed.v1"), REGISTERED),
    ],
)
def test_a_first_event_that_does_not_register_is_put_aside(first, value):
    with pytest.raises(Unreadable) as refused:
        follow(None, first, value)
    assert "\0" not in str(refused.value)
    changed, poison = fold({}, read([record(first, value)])[0])
    assert (changed, len(poison)) == ({}, 1)


@pytest.mark.parametrize("stream", ["household-\0", "household", "household-hh_short", f"household-{HOUSEHOLD}x"])
def test_a_stream_that_is_no_households_is_put_aside(stream):
    readable, poison = read([record(told(1, stream=stream))])
    assert (readable, len(poison)) == ([], 1)


def test_another_kind_of_stream_is_passed_over():
    assert read([record(told(1, stream="programme-pg_1"))]) == ([], [])


@given(st.lists(st.tuples(st.text(max_size=12), st.binary(max_size=12) | st.none()), max_size=5))
def test_no_headers_stop_it(named):
    readable, poison = read([replace(record(told(1)), headers=tuple(named))])
    assert (readable, len(poison)) == ([], 1)
