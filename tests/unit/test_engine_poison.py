"""Poison anywhere among the records of a stream: whatever the batches, live comes to what a rebuild comes to."""

from collections.abc import Sequence
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from services.projections import parking
from services.projections.decode import read
from services.projections.streams import Head, Stream
from shared.events.codes import HouseholdClass
from tests.support.log import Log, Record, classified, household, registered
from tests.support.seeded import poison

KEY = household(1)
NAME = f"household-{KEY}"
LAST = 4

Outcome = tuple[Head, list[int], list[tuple[object, ...]]]
"""Where the stream ends, the versions that were folded, and the rows that stay parked."""


def log() -> Sequence[Record]:
    made = Log()
    made.add(NAME, registered(KEY))
    for _ in range(LAST - 1):
        made.add(NAME, classified(KEY, HouseholdClass.WELFARE))
    return made.records


TRUE = log()


@st.composite
def poisoned(draw: st.DrawFn) -> list[Record]:
    """The true records in their order, and poison made from any of them before, between and after."""
    found = Log()
    marks = st.lists(st.tuples(st.sampled_from(sorted(poison.KINDS)), st.sampled_from(TRUE)), max_size=2)
    for record in [*TRUE, None]:
        for kind, of in draw(marks):
            found.put(poison.KINDS[kind](of))
        if record:
            found.put(record)
    return found.records


def batches(records: list[Record], cuts: set[int]) -> list[list[Record]]:
    edges = [0, *sorted(cut for cut in cuts if cut < len(records)), len(records)]
    return [records[a:b] for a, b in pairwise(edges)]


def outcome(stream: Stream, folded: list[int]) -> Outcome:
    return stream.head, folded, sorted(parking.parked_row(NAME, stream, r) for r in stream.waiting.values())


def taken(stream: Stream, records: list[Record]) -> list[int]:
    stream.take(found for record in records if (found := read(record)).stream)
    return [arrived.version for arrived in stream.folded]


def live(some: list[list[Record]]) -> Outcome:
    """Between two batches only what the database keeps is known."""
    head, known, rows, folded = Head(), dict[int, str](), list[tuple[object, ...]](), list[int]()
    stream = Stream()
    for batch in some:
        stream = Stream(head, known)
        for row in rows:
            kept = dict(zip(parking.PARKED, row, strict=True))
            stream.waiting[kept["version"], kept["hash"]] = parking.unparked(kept)  # type: ignore[index]
        folded += taken(stream, batch)
        head, _, rows = outcome(stream, [])
    return outcome(stream, folded)


def rebuilt(records: list[Record]) -> Outcome:
    stream = Stream()
    return outcome(stream, taken(stream, records))


@settings(max_examples=150, deadline=None)
@given(poisoned(), st.sets(st.integers(1, 16)))
def test_poison_changes_nothing_wherever_it_stands_and_batches_end(records: list[Record], cuts: set[int]):
    stream = live(batches(records, cuts))
    assert stream == rebuilt(records)
    assert stream == (stream[0], [1, 2, 3, LAST], [])


@settings(max_examples=150, deadline=None)
@given(poisoned(), st.sets(st.integers(1, 16)), st.sampled_from(TRUE))
def test_poison_alone_is_never_folded(records: list[Record], cuts: set[int], missing: Record):
    """The true record of one version never comes."""
    version = TRUE.index(missing) + 1
    records = [record for record in records if record.headers != missing.headers or record.value != missing.value]
    stream = live(batches(records, cuts))
    assert stream == rebuilt(records)
    assert stream[1] == list(range(1, version))


def test_each_kind_ahead_of_its_true_record():
    first, second, *rest = TRUE
    for kind, spoiled in poison.KINDS.items():
        records = [first, spoiled(second), second, *rest]
        for cut in range(1, len(records)):
            assert live(batches(records, {cut}))[1] == [1, 2, 3, LAST], (kind, cut)
        assert rebuilt(records)[1] == [1, 2, 3, LAST], kind
