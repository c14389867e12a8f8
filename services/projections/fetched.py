"""What was fetched, taken apart no further than Kafka's own record batches until somebody folds it.

A record with 18 headers is 40 objects. Made when a record is folded, they are gone before the next one is made. Made
when it is fetched, they wait with tens of thousands of others: that costs four times as much (the collector looks
through all of them, again and again), and keeps the client from asking for more meanwhile.
"""

from collections import OrderedDict
from collections.abc import Iterator
from typing import Any

from aiokafka import TopicPartition
from aiokafka.consumer.fetcher import READ_COMMITTED, FetchResult, PartitionRecords
from aiokafka.errors import CorruptRecordException
from msgspec import Struct

from services.projections.facts import Held


class Unread(Struct, frozen=True):
    """A record batch of the log. It can be read once."""

    topic: str
    partition: int
    since: int
    """What stands before this offset was not asked for."""
    batch: Any
    """aiokafka's DefaultRecordBatch."""

    @property
    def next_offset(self) -> int:
        return int(self.batch.next_offset)

    @property
    def until(self) -> int:
        """The latest time of its records, in milliseconds since 1970; -1 if they have none."""
        return int(self.batch.max_timestamp)

    def records(self) -> Iterator[Held]:
        """Raises aiokafka's CorruptRecordException."""
        topic, partition, since = self.topic, self.partition, self.since
        for record in self.batch:
            if (offset := record.offset) >= since:
                yield Held(topic, partition, offset, record.key, record.value, record.headers)


class RecordBatches(PartitionRecords):  # type: ignore[misc]
    """What a fetch brought of a partition: aiokafka's own, but that its items are not taken apart."""

    next_fetch_offset: int

    def _unpack_records(self) -> Iterator[Unread]:
        """As in PartitionRecords: checksums, transactions that were given up, and markers."""
        while self._records.has_next():
            batch = self._records.next_batch()
            if self._check_crcs and not batch.validate_crc():
                raise CorruptRecordException(f"Invalid CRC - {self._tp}")
            since, self.next_fetch_offset = self.next_fetch_offset, batch.next_offset
            if not (self._is_aborted(batch) or batch.is_control_batch):
                yield Unread(self._tp.topic, self._tp.partition, since, batch)

    def _is_aborted(self, batch: Any) -> bool:
        if self._isolation_level != READ_COMMITTED or batch.producer_id is None:
            return False
        self._consume_aborted_up_to(batch.base_offset)
        if batch.is_control_batch and self._contains_abort_marker(batch):
            self._aborted_producers.discard(batch.producer_id)
        return batch.is_transactional and batch.producer_id in self._aborted_producers


class Fetches(OrderedDict[TopicPartition, Any]):
    """The fetcher's own store of answers, in which they become RecordBatches."""

    def __setitem__(self, place: TopicPartition, result: Any) -> None:
        if isinstance(result, FetchResult):
            records = result._partition_records
            records.__class__ = RecordBatches
            records._records_iterator = records._unpack_records()
        super().__setitem__(place, result)
