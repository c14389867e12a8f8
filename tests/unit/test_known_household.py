"""What a follower makes of the records it reads."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from unittest.mock import ANY

import pytest
from aiokafka import ConsumerRecord
from hypothesis import given
from hypothesis import strategies as st

from shared.events import catalog, envelope
from shared.events.base import Event
from shared.events.codes import HouseholdClass, VoidReason
from shared.events.recoding import HouseholdRecoded, RecodingCorrected
from shared.events.registry import (
    HouseholdClassified,
    HouseholdCorrected,
    HouseholdEntryVoided,
    HouseholdMerged,
    HouseholdRegistered,
    HouseholdRelocated,
    HouseholdUnmerged,
    RelocationCorrected,
)
from shared.events.topics import partition_of
from shared.runtime.follower import is_merger, to_each_merger
from shared.runtime.known_household import MARK, Home, Household, Taken, fold, mark
from shared.runtime.registry_log import Readable, read
from shared.standing import Standing

HOUSEHOLD = "hh_" + "a" * 20
DAY = date(2019, 10, 1)
VILLAGE = "40190101"
HOME = Home(1, DAY, VILLAGE)
REGISTERED = catalog.encode(HouseholdRegistered(occurred_on=DAY, household=HOUSEHOLD, village=VILLAGE, members=()))


def told(
    version: int,
    type_name: str = HouseholdClassified.type,
    stream: str = f"household-{HOUSEHOLD}",
    prev_hash: str = envelope.GENESIS,
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
        prev_hash=prev_hash,
    )


def record(of: envelope.Envelope, value: bytes = REGISTERED) -> ConsumerRecord:
    headers = envelope.headers(of)
    digest = envelope.chain_hash(envelope.canonical(headers), value)
    named = tuple((name, text.encode()) for name, text in [*headers, ("ce_hash", digest)])
    place = ("siao.registry.v1", partition_of(of.key))
    return ConsumerRecord(*place, 0, 0, 0, of.key.encode(), value, None, 0, len(value), named)


def one(of: envelope.Envelope, value: bytes = REGISTERED) -> Readable:
    [readable], aside = read([record(of, value)])
    assert aside == []
    return readable


def line(*values: tuple[str, bytes]) -> list[ConsumerRecord]:
    """A household's registration, and events (type, value) that each continue the line."""
    records, prev_hash = [], envelope.GENESIS
    for version, (kind, value) in enumerate([(HouseholdRegistered.type, REGISTERED), *values], start=1):
        records.append(record(told(version, kind, prev_hash=prev_hash), value))
        prev_hash = dict(records[-1].headers)["ce_hash"].decode()
    return records


def known(records: list[ConsumerRecord]) -> tuple[Household | None, list[str]]:
    """What is known of the household after these, and why some were put aside."""
    readable, poison = read(records)
    taken, aside = fold({}, readable)
    return (taken[-1].household if taken else None), [one.reason for one in (*poison, *aside)]


@pytest.mark.parametrize(
    "changed", [{"value": REGISTERED + b" "}, {"key": b"hh_b"}, {"partition": 25}], ids=["altered", "key", "partition"]
)
def test_what_was_altered_or_put_elsewhere_is_put_aside(changed):
    readable, poison = read([replace(record(told(1)), **changed)])
    assert (readable, len(poison)) == ([], 1)


def test_a_household_is_known_from_its_registration_on():
    assert known(line()) == (Household(1, (HOME,), line=mark(one(told(1)).hash)), [])


CLASSIFIED = (
    HouseholdClassified.type,
    catalog.encode(
        HouseholdClassified(occurred_on=DAY, household=HOUSEHOLD, household_class=HouseholdClass.DEVELOPABLE)
    ),
)


@given(st.lists(st.integers(1, 6)))
def test_repeats_change_nothing_and_what_stands_behind_a_gap_waits(versions):
    """Whatever comes, in whatever order: what is known is the longest 1, 2, 3 … in it."""
    every = line(*[CLASSIFIED] * 5)
    found, aside = known([every[version - 1] for version in versions])
    reached = next(version for version in range(7) if version + 1 not in versions)
    assert (found.version if found else 0) == reached
    assert not found or (found.homes, len(found.line)) == ((HOME,), reached * MARK)
    assert aside == ["gap"] * len([version for version in versions if version > reached])


@pytest.mark.parametrize(
    ("first", "value"),
    [
        (told(1), b""),
        (told(1), b"{}"),
        (told(1), b'{"\\u0000":1}'),
        (told(1), b"\xff"),
        (told(1), b"[" * 100_000),
        (told(1), REGISTERED.replace(b"{", b'{"occurred_on":"2001-01-01",', 1)),
        (told(1), REGISTERED.replace(b"hh_a", b"hh_b")),
        (told(1)._replace(type="NeverHeardOf.v9"), REGISTERED),
        (told(1)._replace(type="HelperEnrolled.v1"), REGISTERED),
        (told(1)._replace(type=CLASSIFIED[0]), CLASSIFIED[1]),
    ],
)
def test_a_first_event_that_does_not_register_is_put_aside(first, value):
    found, [why] = known([record(first, value)])
    assert found is None
    assert "\0" not in why
    assert known([record(first, value), *line()])[0] == known(line())[0]


@pytest.mark.parametrize("stream", ["household-\0", "household", "household-hh_short", f"household-{HOUSEHOLD}x"])
def test_a_stream_that_is_no_households_is_put_aside(stream):
    readable, poison = read([record(told(1, stream=stream))])
    assert (readable, len(poison)) == ([], 1)


def test_another_kind_of_stream_is_passed_over():
    assert read([record(told(1, stream="programme-pg_1"))]) == ([], [])


@pytest.mark.parametrize(
    "changed",
    [
        {"version": 0},
        {"version": 10**12},
        {"id": "x"},
        {"agency": "ก"},
        {"agency": "a\0b"},
        {"source": "/siao/pairing"},
        {"recorded_at": datetime(1800, 1, 1, tzinfo=UTC)},
    ],
    ids=str,
)
def test_headers_that_readers_may_take_differently_are_put_aside(changed):
    assert known([record(told(1)._replace(**changed)), *line()]) == (known(line())[0], [ANY])


@given(st.lists(st.tuples(st.text(max_size=12), st.binary(max_size=12) | st.none()), max_size=5))
def test_no_headers_stop_it(named):
    readable, poison = read([replace(record(told(1)), headers=tuple(named))])
    assert (readable, len(poison)) == ([], 1)


# -- what changes a household --------------------------------------------------------------------------------------

OTHER, MOVED = "hh_" + "b" * 20, date(2020, 1, 15)
relocated = HouseholdRelocated(occurred_on=MOVED, household=HOUSEHOLD, village="40010101")
recoded = HouseholdRecoded(occurred_on=MOVED, household=HOUSEHOLD, was=VILLAGE, village="40190121")


def after(*events: Event) -> Household:
    """What is known of a registered household after these."""
    found, aside = known(line(*((event.type, catalog.encode(event)) for event in events)))
    assert aside == []
    assert found
    return found


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
        pytest.param([recoded], VILLAGE, "40190121", id="recoded"),
        pytest.param([recoded, voiding(2)], VILLAGE, VILLAGE, id="not recoded"),
        pytest.param(
            [recoded, RecodingCorrected(occurred_on=MOVED, household=HOUSEHOLD, corrects=2, village="40190122")],
            VILLAGE,
            "40190122",
            id="recoded otherwise",
        ),
        pytest.param([recoded, relocated.model_copy(update={"occurred_on": DAY})], *["40010101"] * 2, id="had left"),
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
    assert after(voiding(7)).homes == (HOME,)
    assert after(voiding(7)).version == 2


@pytest.mark.parametrize("kind", [HouseholdMerged.type, *CLASSIFIED[:1], "NeverHeardOf.v9"])
def test_one_that_cannot_be_read_is_put_aside_and_waited_for(kind):
    bad = line((kind, b"{}"))[1]
    found, aside = known([*line(), bad, *line(CLASSIFIED)])
    assert (found, len(aside)) == (known(line(CLASSIFIED))[0], 1)


def test_of_a_fork_the_first_is_taken_and_the_rest_put_aside():
    """A store put back from a backup has written other events in the place of some that the log knows."""
    merged = HouseholdMerged(occurred_on=DAY, household=HOUSEHOLD, into=OTHER)
    lost, true = line((merged.type, catalog.encode(merged))), line(CLASSIFIED, (relocated.type, b"{}"), CLASSIFIED)
    assert known([*lost, *true[1:]]) == (known(lost)[0], ["fork", "chain", "gap"])
    assert known([*true[:2], *lost]) == (known(true[:2])[0], ["fork"])


def test_of_rows_without_marks_the_first_that_continues_is_believed():
    [first, second, third] = line(CLASSIFIED, CLASSIFIED)
    old = {HOUSEHOLD: Household(1, (HOME,))}
    (taken,), aside = fold(old, read([first, second])[0])
    assert (taken.household.version, taken.household.mark(1), aside) == (2, None, [])
    [now], aside = fold({HOUSEHOLD: taken.household}, read([second, third])[0])
    assert (now.household.version, len(now.household.line), aside) == (3, 2 * MARK, [])


def test_records_are_cut_behind_each_merger():
    types = [CLASSIFIED[0], HouseholdMerged.type, HouseholdMerged.type, CLASSIFIED[0]]
    taken = [Taken(one(told(version, name)), Household(version, (HOME,))) for version, name in enumerate(types, 2)]
    assert [[at.told.version for at, _ in part] for part in to_each_merger(taken)] == [[2, 3], [4], [5]]
    assert list(to_each_merger([])) == []
    merger = [is_merger(at.one.record) for at in taken]
    assert merger == [False, True, True, False]
