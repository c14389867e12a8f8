"""Records that are taken from Kafka's batches when they are folded are those that aiokafka would have delivered."""

import inspect
import struct
from collections.abc import Iterator
from typing import Any

import pytest
from aiokafka import TopicPartition
from aiokafka.consumer.fetcher import READ_COMMITTED, READ_UNCOMMITTED, Fetcher, FetchResult, PartitionRecords
from aiokafka.errors import CorruptRecordException
from aiokafka.record.default_records import DefaultRecordBatchBuilder
from aiokafka.record.memory_records import MemoryRecords
from hypothesis import given
from hypothesis import strategies as st

from services.projections.fetched import Fetches, Unread

PLACE = TopicPartition("siao.registry.v1", 3)
ATTRIBUTES = 21
"""Where they stand in a batch, as two bytes; its checksum stands before and covers them and all that follows."""
CONTROL = 0x20
ABORT = struct.pack(">hh", 0, 0)
Told = tuple[int, bytes | None, bytes | None, tuple[tuple[str, bytes | None], ...]]

texts = st.none() | st.binary(max_size=200)
headers = st.lists(st.tuples(st.text(max_size=9), texts), max_size=5)
contents = st.lists(st.tuples(texts, texts, headers), min_size=1, max_size=4)
# (lz4, producer, transactional, records), or the end of a producer's transaction
batches = st.tuples(st.booleans(), st.integers(-1, 2), st.booleans(), contents)
logs = st.lists(batches | st.integers(0, 2), min_size=1, max_size=8)


def built(offset: int, wanted: Any) -> tuple[bytes, int]:
    """A batch that begins at `offset`, and how many records it holds."""
    control = isinstance(wanted, int)
    lz4, producer, transactional, records = (False, wanted, True, [(ABORT, b"", [])]) if control else wanted
    builder = DefaultRecordBatchBuilder(2, 3 * lz4, transactional and producer >= 0, producer, 0, 0, 1 << 20)
    for n, (key, value, named) in enumerate(records):
        builder.append(n, 1_600_000_000_000 + n, key, value, named)
    data = bytearray(builder.build())
    struct.pack_into(">q", data, 0, offset)
    if control:
        data[ATTRIBUTES + 1] |= CONTROL
    return bytes(data), len(records)


def log_of(wanted: list[Any]) -> tuple[bytes, int]:
    data, end = b"", 0
    for one in wanted:
        more, count = built(end, one)
        data, end = data + more, end + count
    return data, end


def fetched(data: bytes, since: int, isolation: int, aborted: list[tuple[int, int]], check: bool) -> PartitionRecords:
    return PartitionRecords(PLACE, MemoryRecords(data), aborted, since, None, None, check, isolation)


def unread(records: PartitionRecords) -> Iterator[Unread]:
    store = Fetches()
    store[PLACE] = FetchResult(PLACE, assignment=None, partition_records=records, backoff=0)
    found: Iterator[Unread] = store[PLACE]._partition_records
    return found


@given(logs, st.data())
def test_the_same_records_in_the_same_order(wanted: list[Any], draw: st.DataObject):
    data, end = log_of(wanted)
    since, isolation = draw.draw(st.integers(0, end)), draw.draw(st.sampled_from([READ_COMMITTED, READ_UNCOMMITTED]))
    aborted = draw.draw(st.lists(st.tuples(st.integers(0, 2), st.integers(0, end)), max_size=3))
    whole, parts = (fetched(data, since, isolation, list(aborted), check=False) for _ in range(2))
    expected: list[Told] = [(r.offset, r.key, r.value, tuple(r.headers)) for r in whole]
    batches, next_offsets = [], []
    for batch in unread(parts):
        batches.append(batch)
        next_offsets.append(parts.next_fetch_offset)
    assert next_offsets == [batch.next_offset for batch in batches]  # aiokafka may stop behind any of them
    found = [record for batch in batches for record in batch.records()]
    assert [(r.offset, r.key, r.value, tuple(r.headers)) for r in found] == expected
    assert {(r.topic, r.partition) for r in found} <= {PLACE}
    assert parts.next_fetch_offset == whole.next_fetch_offset


def test_a_broken_batch_is_noticed_when_it_comes():
    data, _ = log_of([(False, -1, False, [(b"key", b"value", [])])])
    with pytest.raises(CorruptRecordException):
        list(unread(fetched(data[:-3] + b"\0" + data[-2:], 0, READ_COMMITTED, [], check=True)))


def test_the_fetcher_stores_and_drains_as_it_did():
    source = inspect.getsource(Fetcher._proc_fetch_request)
    assert "self._records[tp] = FetchResult(" in source
    assert "for msg in self._partition_records:" in inspect.getsource(FetchResult.getall)
    assert "records = res_or_error.getall(max_records)" in inspect.getsource(Fetcher.fetched_records)
