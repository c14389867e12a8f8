"""What a follower makes of the records it reads."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from aiokafka import ConsumerRecord
from hypothesis import given
from hypothesis import strategies as st

from shared.events import catalog, envelope
from shared.events.base import Event
from shared.events.codes import VoidReason
from shared.events.registry import (
    HouseholdCorrected,
    HouseholdEntryVoided,
    HouseholdMerged,
    HouseholdRegistered,
    HouseholdRelocated,
    HouseholdUnmerged,
    RelocationCorrected,
)
from shared.events.topics import partition_of
from shared.runtime.follower import fold, read, to_each_merger
from shared.runtime.known_household import Home, Household, Unreadable, follow
from shared.standing import Standing

HOUSEHOLD = "hh_" + "a" * 20
DAY = date(2019, 10, 1)
VILLAGE = "40190101"
HOME = Home(1, DAY, VILLAGE)
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
    assert follow(None, told(1), REGISTERED) == Household(1, (HOME,))


def test_later_events_of_any_type_move_the_version():
    assert follow(Household(1, (HOME,)), told(2, "NeverHeardOf.v9"), b"\xff") == Household(2, (HOME,))


@given(st.lists(st.integers(1, 6)))
def test_repeats_and_gaps_change_nothing(versions):
    """Whatever comes, in whatever order: what is known is the longest 1, 2, 3 … in it."""
    records = [record(told(version)) for version in versions]
    changed, poison = fold({}, read(records)[0])
    reached = 0
    for version in versions:
        reached += version == reached + 1
    assert poison == []
    assert changed == ({HOUSEHOLD: Household(reached, (HOME,))} if reached else {})


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


# -- what changes a household --------------------------------------------------------------------------------------

OTHER, MOVED = "hh_" + "b" * 20, date(2020, 1, 15)
relocated = HouseholdRelocated(occurred_on=MOVED, household=HOUSEHOLD, village="40010101")


def after(*events: Event) -> Household:
    """What is known of a registered household after these."""
    known = follow(None, told(1), REGISTERED)
    for version, event in enumerate(events, start=2):
        known = follow(known, told(version, event.type), catalog.encode(event))
    assert known
    return known


def voiding(version: int) -> HouseholdEntryVoided:
    return HouseholdEntryVoided(occurred_on=DAY, household=HOUSEHOLD, voids=version, reason=VoidReason.ENTERED_TWICE)


@pytest.mark.parametrize(
    ("events", "before", "on_the_day"),
    [
        pytest.param([relocated], VILLAGE, "40010101", id="moved"),
        pytest.param([relocated, voiding(2)], VILLAGE, VILLAGE, id="not moved"),
        pytest.param(
            [relocated, RelocationCorrected(occurred_on=DAY, household=HOUSEHOLD, corrects=2, village="40020101")],
            "40020101",
            "40020101",
            id="moved earlier, elsewhere",
        ),
        pytest.param(
            [relocated, HouseholdCorrected(occurred_on=DAY, household=HOUSEHOLD, village="40030101")],
            "40030101",
            "40010101",
            id="registered elsewhere",
        ),
        pytest.param(
            [relocated, relocated.model_copy(update={"village": "40040101"})], VILLAGE, "40040101", id="told twice"
        ),
    ],
)
def test_where_it_lived_when(events, before, on_the_day):
    household = after(*events)
    assert household.village_on(MOVED - timedelta(days=1)) == before
    assert household.village_on(MOVED) == household.village_on(date(2020, 12, 1)) == on_the_day
    assert household.village_on(date(2018, 1, 1)) in (before, VILLAGE)
    assert household.version == len(events) + 1


def test_whether_it_is_one_of_its_own():
    merged = HouseholdMerged(occurred_on=DAY, household=HOUSEHOLD, into=OTHER)
    assert after().standing == Standing()
    assert after(merged).standing == Standing(merged_into=OTHER)
    assert after(merged, HouseholdUnmerged(occurred_on=DAY, household=HOUSEHOLD, out_of=OTHER)).standing == Standing()
    assert after(voiding(1)).standing == Standing(voided=True)
    assert after(voiding(1)).village_on(DAY) == VILLAGE


def test_a_voided_class_changes_nothing_but_the_version():
    assert after(voiding(7)) == Household(2, (HOME,))


def test_one_that_matters_and_cannot_be_read_is_put_aside_and_waited_for():
    bad = record(told(2, HouseholdMerged.type), b"{}")
    changed, poison = fold({HOUSEHOLD: Household(1, (HOME,))}, read([bad, record(told(3))])[0])
    assert (changed, len(poison)) == ({}, 1)


def test_records_are_cut_behind_each_merger():
    types = ["NeedsAssessed.v1", HouseholdMerged.type, HouseholdMerged.type, "NeedsAssessed.v1"]
    readable = read([record(told(version, name)) for version, name in enumerate(types, start=2)])[0]
    assert [[at.version for at, _ in part] for part in to_each_merger(readable)] == [[2, 3], [4], [5]]
    assert list(to_each_merger([])) == []
