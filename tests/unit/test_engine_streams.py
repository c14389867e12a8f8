"""Which records continue a stream, and why the others wait. Versions and hashes decide, never the order of arrival."""

from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.projections.decode import read
from services.projections.facts import Arrived, Unreadable
from services.projections.streams import Head, Record, Stream
from shared.events.codes import HouseholdClass
from tests.support.log import START, Log, classified, household, registered, resealed, sealed, told

KEY = household(1)
NAME = f"household-{KEY}"


def chain(n: int) -> list[Arrived]:
    log = Log()
    log.add(NAME, registered(KEY))
    for _ in range(n - 1):
        log.add(NAME, classified(KEY, HouseholdClass.WELFARE))
    found = [read(record) for record in log.records]
    return [record for record in found if isinstance(record, Arrived)]


def taken(*records: Record) -> Stream:
    stream = Stream()
    stream.take(records)
    return stream


def reasons(stream: Stream) -> dict[int, str]:
    return {version: stream.reason(record) for (version, _), record in stream.waiting.items()}


def beside(record: Arrived) -> Arrived:
    """Another record of the same version, with the same past."""
    other = read(sealed(NAME, record.version, record.prev_hash, classified(KEY, HouseholdClass.DEVELOPABLE), START))
    assert isinstance(other, Arrived)
    return other


def unreadable(record: Arrived) -> Unreadable:
    log = Log()
    log.add(NAME, registered(KEY))
    broken = read(resealed(log.records[0], b"{"))
    assert isinstance(broken, Unreadable)
    return Unreadable(
        broken.at, NAME, record.version, broken.hash, broken.headers, broken.value, "unreadable", broken.reason
    )


@given(st.permutations(range(6)), st.lists(st.integers(0, 5), max_size=4))
@settings(max_examples=50, deadline=None)
def test_any_order_and_repeats_fold_in_the_streams_order(order: list[int], again: list[int]):
    records = chain(6)
    stream = taken(*(records[i] for i in [*order, *again]))
    assert [record.version for record in stream.folded] == [1, 2, 3, 4, 5, 6]
    assert not stream.waiting
    assert stream.repeated == len(again)


def test_what_comes_after_a_gap_waits():
    one, _, three, four = chain(4)
    stream = taken(one, four, three)
    assert stream.head == Head(1, one.hash)
    assert reasons(stream) == {3: "gap", 4: "gap"}


def test_another_record_of_a_folded_version_is_a_fork():
    one, two, three = chain(3)
    stream = taken(one, two, beside(two), three)
    assert [r.version for r in stream.folded] == [1, 2, 3]
    assert reasons(stream) == {2: "fork"}


def test_what_follows_a_fork_is_off_the_chain():
    one, two = chain(2)
    other = beside(two)
    after = read(sealed(NAME, 3, other.hash, classified(KEY, HouseholdClass.WELFARE), START))
    assert isinstance(after, Arrived)
    late = read(sealed(NAME, 4, after.hash, classified(KEY, HouseholdClass.WELFARE), START))
    assert reasons(taken(one, two, other, after, late)) == {2: "fork", 3: "chain", 4: "chain"}
    assert reasons(taken(one, two, other, late)) == {2: "fork", 4: "gap"}


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 0, 1), (0, 2, 1), (2, 1, 0)])
def test_an_unreadable_record_holds_its_place_until_the_right_one_comes(order: Sequence[int]):
    one, two = chain(2)
    records: list[Record] = [one, unreadable(two), replace_at(two, 9)]
    stream = taken(*(records[i] for i in order))
    assert stream.head.version == 2
    assert not stream.waiting


def replace_at(record: Arrived, offset: int) -> Arrived:
    return Arrived(
        record.at._replace(offset=offset),
        record.fact,
        record.occurred_on,
        record.prev_hash,
        record.hash,
        record.headers,
        record.value,
    )


def test_an_unreadable_record_stops_its_stream():
    one, two, three = chain(3)
    stream = taken(one, unreadable(two), three)
    assert stream.head.version == 1
    assert reasons(stream) == {2: "unreadable", 3: "gap"}


def test_an_altered_record_is_told_from_an_unreadable_one():
    log = Log()
    record = log.add(NAME, registered(KEY))
    altered = read(replace(record, value=(record.value or b"").replace(b"4019", b"4001")))
    assert isinstance(altered, Unreadable)
    assert (altered.kind, altered.version, altered.hash == told(record)["ce_hash"]) == ("altered", 1, False)


def test_what_a_batch_brings_out_of_order_is_folded_and_remembered():
    one, two, three = chain(3)
    stream = taken(one, three, two)
    assert [record.version for record in stream.folded] == [1, 2, 3]
    assert stream.waited == {(3, three.hash)}
    assert taken(one, two, three).waited == set()
