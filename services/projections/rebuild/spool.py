"""Keeps what a rebuild holds in memory bounded: records in heaps of about one size, all of a key in the same heap."""

from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from tempfile import TemporaryFile
from typing import BinaryIO
from zlib import crc32

import msgspec

from services.projections.facts import Held

HEAP = 50_000
"""Records, about: what a process holds at once."""
_LENGTH = 4
_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Held).decode


class Spool:
    """Takes up to `total` records. One heap is held in memory; several are files without a name, gone with us."""

    def __init__(self, stack: ExitStack, total: int, heap: int = HEAP) -> None:
        count = -(-total // heap)
        self._held: list[Held] = []
        self._files = [stack.enter_context(TemporaryFile()) for _ in range(count if count > 1 else 0)]  # noqa: SIM115

    def add(self, records: Iterable[Held]) -> None:
        if not self._files:
            self._held += records
            return
        for record in records:
            data = _encode(record)
            file = self._files[crc32(record.key or b"") % len(self._files)]
            file.write(len(data).to_bytes(_LENGTH, "little") + data)

    def heaps(self) -> Iterator[list[Held]]:
        """Each in the order in which its records were added."""
        if self._held:
            held, self._held = self._held, []
            yield held
        for file in self._files:
            file.seek(0)
            yield list(_read(file))


def _read(file: BinaryIO) -> Iterator[Held]:
    while length := file.read(_LENGTH):
        yield _decode(file.read(int.from_bytes(length, "little")))
