"""Records come out of Kafka's batches as aiokafka delivers them, and also where it cannot."""

import inspect
from typing import Any

from aiokafka import TopicPartition
from aiokafka.consumer import fetcher
from aiokafka.consumer.fetcher import READ_COMMITTED, Fetcher, PartitionRecords
from aiokafka.record.default_records import _DefaultRecordBatchBuilderPy, _DefaultRecordBatchPy
from aiokafka.record.memory_records import MemoryRecords
from hypothesis import given
from hypothesis import strategies as st

from shared.runtime import batches
from shared.runtime.batches import Records

texts = st.none() | st.binary(max_size=200)
sound = st.text(max_size=9).map(str.encode)


def contents(names: st.SearchStrategy[bytes]) -> st.SearchStrategy[Any]:
    """(lz4, the records) of each batch."""
    headers = st.lists(st.tuples(names, texts), max_size=4)
    return st.lists(
        st.tuples(st.booleans(), st.lists(st.tuples(texts, texts, headers), min_size=1, max_size=4)),
        min_size=1,
        max_size=3,
    )


class Name(bytes):
    def encode(self, _: str) -> bytes:
        return bytes(self)


def written(wanted: Any) -> bytes:
    data = b""
    for lz4, records in wanted:
        builder = _DefaultRecordBatchBuilderPy(2, 3 * lz4, 0, -1, -1, -1, 1 << 20)
        for n, (key, value, headers) in enumerate(records):
            builder.append(n, 1_600_000_000_000 + n, key, value, [(Name(name), text) for name, text in headers])
        data += builder.build()
    return data


def delivered(records: Any) -> list[Any]:
    found = PartitionRecords(TopicPartition("t", 0), records, [], 0, None, None, True, READ_COMMITTED)
    return [(r.offset, r.timestamp, r.key, r.value, r.headers) for r in found]


@given(contents(sound))
def test_what_aiokafka_reads_comes_as_it_delivers_it(wanted: Any):
    data = written(wanted[:1])
    assert delivered(Records(data)) == delivered(MemoryRecords(data))


@given(contents(sound | st.binary(max_size=9)))
def test_any_name_is_delivered_and_so_are_all_records_beside_it(wanted: Any):
    found, records = [], Records(written(wanted))
    while records.has_next():
        batch = records.next_batch()
        assert batch.validate_crc()
        found += [(r.key, r.value, list(r.headers)) for r in batch]
    assert found == [
        (key, value, [(name.decode(errors="replace"), text) for name, text in headers])
        for _, some in wanted
        for key, value, headers in some
    ]


def test_aiokafka_works_as_this_relies_on():
    assert "MemoryRecords(part_data[-1])" in inspect.getsource(Fetcher._proc_fetch_request)
    assert '.decode("utf-8")' in inspect.getsource(_DefaultRecordBatchPy._read_msg)
    before = fetcher.MemoryRecords
    try:
        batches.install()
        assert fetcher.MemoryRecords is Records
    finally:
        fetcher.MemoryRecords = before


def test_a_fetcher_is_woken_for_what_there_is_to_do():
    """So it need not look by itself as often as it does (shared/runtime/consumer.py)."""
    assert "backoff = self._fetcher_timeout" in inspect.getsource(Fetcher._get_actions_per_node)
    waits_for = inspect.getsource(Fetcher._fetch_requests_routine)
    assert "set(chain(self._pending_tasks, other_futs, resume_futures))" in waits_for
    assert "other_futs = [self._wait_consume_future, assignment.unassign_future]" in waits_for
    for woken_by in (Fetcher.fetched_records, Fetcher.seek_to):
        assert "self._notify(self._wait_consume_future)" in inspect.getsource(woken_by)
