"""Followers and projections take the same records of the same log, also of one that is forked and poisoned."""

from collections.abc import Sequence
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from services.projections.decode import read as read_by_projections
from services.projections.streams import Stream
from shared.events.codes import HouseholdClass
from shared.runtime.known_household import fold
from shared.runtime.registry_log import read
from tests.support import mended
from tests.support.log import START, Log, Record, classified, household, registered, sealed, told
from tests.support.seeded import poison

KEY, OTHER = household(1), household(2)
STREAM = f"household-{KEY}"


def pool() -> list[Record]:
    """A line of three events, a fork of its second one and what continues that, and all poison made of either."""
    log = Log()
    first = log.add(STREAM, registered(KEY))
    log.add(STREAM, mended.merged(KEY, OTHER)[0])
    log.add(STREAM, mended.relocated(KEY))
    fork = sealed(STREAM, 2, told(first)["ce_hash"], classified(KEY, HouseholdClass.DEVELOPABLE), START)
    after = sealed(STREAM, 3, told(fork)["ce_hash"], mended.relocated(KEY), START)
    sound = [*log.records, fork, after]
    return sound + [made(record) for made in poison.KINDS.values() for record in sound]


POOL = pool()
SOUND = 5


def by_projections(records: Sequence[Record]) -> list[str]:
    stream = Stream()
    stream.take([one for one in map(read_by_projections, records) if one.stream == STREAM])
    return [one.hash for one in stream.folded]


def by_a_follower(records: Sequence[Record]) -> list[str]:
    taken, _ = fold({}, read(records)[0])
    return [one.hash for one, _ in taken if one.told.stream == STREAM]


@given(st.lists(st.integers(0, len(POOL) - 1) | st.integers(0, SOUND - 1), max_size=16))
def test_the_same_records_are_taken_in_the_same_order(places):
    records = [replace(POOL[place], offset=offset) for offset, place in enumerate(places)]
    assert by_a_follower(records) == by_projections(records)


def test_each_kind_of_poison_is_passed_over_by_both():
    first, second, third, *_ = POOL
    for kind, made in poison.KINDS.items():
        records = [made(first), first, made(second), second, made(third), third]
        records = [replace(record, offset=offset) for offset, record in enumerate(records)]
        line = [told(record)["ce_hash"] for record in (first, second, third)]
        assert by_a_follower(records) == by_projections(records) == line, kind
