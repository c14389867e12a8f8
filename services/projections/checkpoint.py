"""How far a partition number is folded, and which of the delivered records are new."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from services.projections.decode import SERVICE_OF_TOPIC
from services.projections.facts import Arrived, Unreadable
from services.projections.made_by import OtherVersion, difference

SERVICES = tuple(SERVICE_OF_TOPIC.values())


class LostRecords(Exception):
    """Records between the checkpoint and what was delivered never came. Start again from the checkpoint."""


class LogRewritten(Exception):
    """The log holds another record where the checkpoint stands: a broker lost its end, and it was filled again."""

    def __init__(self, service: str, partition: int) -> None:
        super().__init__(f"{service}-{partition}")
        self.service, self.partition = service, partition


@dataclass(frozen=True)
class Slice:
    """Consecutive records of one partition of one topic, as they were fetched."""

    service: str
    start: int
    """The offset from which the fetch began: nothing stands between it and the first record."""
    records: Sequence[Arrived | Unreadable]


@dataclass
class Checkpoint:
    """The row of a partition number, locked while a batch is folded."""

    partition: int
    offsets: dict[str, int]
    """Service -> the next offset."""
    tails: dict[str, str]
    """Service -> hash of the record before it, as the bytes came."""
    made_by: frozenset[str] = frozenset()
    """As noted beside it."""
    newest: datetime | None = None

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> "Checkpoint":
        return cls(
            row["partition"],
            {service: row[service] for service in SERVICES},
            {service: row[f"{service}_tail"] for service in SERVICES},
            frozenset(row.get("made_by", ())),
        )

    def check(self) -> None:
        """Raises OtherVersion where this code may not go on with the tables."""
        if other := difference(self.made_by):
            raise OtherVersion(other)

    def pass_over(self, piece: Slice) -> Sequence[Arrived | Unreadable]:
        """The records of `piece` that are new; the checkpoint then stands behind them.

        Raises LostRecords and LogRewritten.
        """
        service, offset = piece.service, self.offsets[piece.service]
        if (
            piece.records and piece.records[0].at.offset < piece.start
        ):  # the client found its position behind the end, and went back
            raise LogRewritten(service, self.partition)
        if piece.start > offset:
            raise LostRecords(f"{service}-{self.partition}: from {piece.start}, but the checkpoint is {offset}")
        for record in piece.records:
            if record.at.offset == offset - 1 and self.tails[service] and record.hash != self.tails[service]:
                raise LogRewritten(service, self.partition)
        new = [record for record in piece.records if record.at.offset >= offset]
        if new:
            self.move(service, new[-1].at.offset, new[-1].hash)
        return new

    def see(self, recorded_at: datetime) -> None:
        """Of an event that is folded."""
        self.newest = max(self.newest or recorded_at, recorded_at)

    def move(self, service: str, offset: int, tail: str) -> None:
        """Behind the record at `offset`, whose hash is `tail`."""
        self.offsets[service], self.tails[service] = offset + 1, tail
