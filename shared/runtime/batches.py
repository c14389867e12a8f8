"""Kafka's record batches, read whatever a client wrote into them.

A header's name is UTF-8 by Kafka's protocol, and no broker looks whether it is. aiokafka decodes it strictly: one that
is not, and its partition is never read beyond it. Here the rest of such a batch is decoded by aiokafka's own slower
class, with U+FFFD for what is no UTF-8, as librdkafka's client does: so a rebuild sees what the worker saw.

Every aiokafka consumer reads through this once `install` was called. tests/contracts/test_batches.py pins what it
relies on.
"""

import struct
from collections.abc import Iterator
from itertools import islice
from typing import Any, SupportsIndex

from aiokafka.consumer import fetcher
from aiokafka.record.default_records import _DefaultRecordBatchPy
from aiokafka.record.memory_records import MemoryRecords

LENGTH = struct.Struct(">qi")
"""How a batch begins: its first offset, and the length of what follows."""


class Records:
    """In the place of aiokafka's MemoryRecords: what a fetch brought of a partition."""

    def __init__(self, data: bytes) -> None:
        self._data, self._at = memoryview(data), 0
        self._records = MemoryRecords(data)

    def size_in_bytes(self) -> int:
        return len(self._data)

    def has_next(self) -> bool:
        return bool(self._records.has_next())

    def next_batch(self) -> "Batch":
        begin, (_, length) = self._at, LENGTH.unpack_from(self._data, self._at)
        self._at += LENGTH.size + length
        return Batch(self._records.next_batch(), self._data[begin : self._at])


class Batch:
    """aiokafka's record batch, but that its records can always be read."""

    __slots__ = ("_batch", "_data")

    def __init__(self, batch: Any, data: memoryview) -> None:
        self._batch, self._data = batch, data

    def __getattr__(self, name: str) -> Any:
        return getattr(self._batch, name)

    def __next__(self) -> Any:
        return next(self._batch)

    def __iter__(self) -> Iterator[Any]:
        count = 0
        try:
            for record in self._batch:
                yield record
                count += 1
        except UnicodeDecodeError:
            yield from islice(_AnyNames(self._data), count, None)


class _AnyNames(_DefaultRecordBatchPy):  # type: ignore[misc]
    def _maybe_uncompress(self) -> None:
        super()._maybe_uncompress()
        self._buffer = _Bytes(self._buffer)  # type: ignore[has-type]


class _Bytes(bytearray):
    """Whose slices decode without an error."""

    def __getitem__(self, at: SupportsIndex | slice) -> Any:
        found = super().__getitem__(at)
        return _Bytes(found) if isinstance(found, bytearray) else found

    def decode(self, encoding: str = "utf-8", errors: str = "replace") -> str:
        return super().decode(encoding, errors)


def install() -> None:
    """For all consumers of this process that begin to read from now on."""
    fetcher.MemoryRecords = Records
