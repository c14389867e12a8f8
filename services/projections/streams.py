"""Which of the records that arrived may be folded: only those that continue their stream's gap-free prefix.

Version and hash decide, never an offset: a relay that crashed sends the same event again under a new one. The rest is
parked: behind a gap until the missing version comes; beside or off the chain, for a person to look at.
"""

from collections.abc import Iterable
from operator import itemgetter
from typing import NamedTuple

from msgspec import Struct

from services.projections.facts import Arrived, Unreadable
from shared.events.envelope import GENESIS

Record = Arrived | Unreadable
Slot = tuple[int, str]
"""version, hash."""


class Head(NamedTuple):
    """The end of what is folded of a stream."""

    version: int = 0
    hash: str = GENESIS


class Stream(Struct):
    """A stream into which records are sorted. What comes of it does not depend on their order, except in a fork:
    of two records that both continue the stream, the first in the log is folded."""

    head: Head = Head()
    known: dict[int, str] = {}
    """Version -> hash of what is folded; at least of the versions that will be taken."""
    waiting: dict[Slot, Record] = {}
    """What is parked."""
    folded: list[Arrived] = []
    """By this object, in order of version."""
    waited: set[Slot] = set()
    """What was parked by this object; not in `waiting` any more where the log itself was out of order."""
    repeated: int = 0
    _astray: set[Slot] = set()
    """What waits and follows, directly or through others, a record in whose place another was folded."""

    def take(self, records: Iterable[Record]) -> None:
        self._fold_what_waits()
        for record in records:
            slot = record.version, record.hash
            if self.waiting and isinstance(record, Arrived):
                self._take_over(slot)
            if self.known.get(record.version) == record.hash or slot in self.waiting:
                self.repeated += 1
            elif isinstance(record, Arrived) and self._continues(record):
                self._fold(record)
                self._fold_what_waits()
            elif isinstance(record, Arrived) or record.version > self.head.version:
                self.waiting[slot] = record
                self.waited.add(slot)
        if self.waiting:
            self._look_for_astray()

    def reason(self, record: Record) -> str:
        """Why a waiting record waits."""
        if isinstance(record, Unreadable):
            return record.kind
        if record.version <= self.head.version:
            return "fork"
        return "chain" if (record.version, record.hash) in self._astray else "gap"

    def _look_for_astray(self) -> None:
        self._astray.clear()
        for slot, r in sorted(self.waiting.items(), key=itemgetter(0)):
            if isinstance(r, Arrived) and (r.version <= self.head.version + 1 or _before(r) in self._astray):
                self._astray.add(slot)

    def _take_over(self, slot: Slot) -> None:
        """A sound record comes in place of a copy that nobody could read: `ce_hash` is no part of what is hashed."""
        if isinstance(self.waiting.get(slot), Unreadable):
            del self.waiting[slot]
            self.waited.discard(slot)

    def _continues(self, record: Arrived) -> bool:
        return record.version == self.head.version + 1 and record.prev_hash == self.head.hash

    def _fold(self, record: Arrived) -> None:
        self.folded.append(record)
        self.head = Head(record.version, record.hash)
        self.known[record.version] = record.hash
        # An unreadable one in its place waits for nothing any more; the quarantine still tells of it.
        for slot, other in list(self.waiting.items()):
            if other is record or (slot[0] == record.version and isinstance(other, Unreadable)):
                del self.waiting[slot]

    def _fold_what_waits(self) -> None:
        while following := [r for r in self.waiting.values() if isinstance(r, Arrived) and self._continues(r)]:
            self._fold(min(following, key=lambda r: r.at.offset))


def _before(record: Arrived) -> Slot:
    return record.version - 1, record.prev_hash
