"""What comes out of the log: facts that arrived, and records that nobody can read."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import NamedTuple, Protocol

from msgspec import Struct

from shared.events.base import Event

Order = tuple[datetime, str, int]
"""recorded_at, stream, version: the one order in which facts are folded."""


class LogRecord(Protocol):
    """What a Kafka client delivers."""

    @property
    def topic(self) -> str: ...
    @property
    def partition(self) -> int: ...
    @property
    def offset(self) -> int: ...
    @property
    def key(self) -> bytes | None: ...
    @property
    def value(self) -> bytes | None: ...
    @property
    def headers(self) -> Sequence[tuple[str, bytes | None]]: ...


class Held(Struct, array_like=True, frozen=True, gc=False):
    """A LogRecord that is small enough to be held or spooled by the ten thousand."""

    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    headers: list[tuple[str, bytes | None]]


class Fact(Struct, frozen=True, gc=False):
    """What a fold needs of an event."""

    key: str
    order: Order
    event_id: str
    type: str
    agency: str
    event: Event

    @property
    def stream(self) -> str:
        return self.order[1]

    @property
    def version(self) -> int:
        return self.order[2]


class At(NamedTuple):
    """A place in the log."""

    topic: str
    partition: int
    offset: int


class Arrived(Struct, frozen=True, gc=False):
    """A readable record: the fact, and everything that is kept of it."""

    at: At
    fact: Fact
    occurred_on: date
    prev_hash: str
    hash: str
    headers: bytes
    value: bytes

    @property
    def stream(self) -> str:
        return self.fact.order[1]

    @property
    def version(self) -> int:
        return self.fact.order[2]


class Unreadable(Struct, frozen=True, gc=False):
    """`stream` and `version` are told only where the headers give them and may be believed."""

    at: At
    stream: str
    """"" when unknown."""
    version: int
    hash: str
    """Of the bytes that came, whatever `ce_hash` says."""
    headers: bytes
    value: bytes
    kind: str
    """unreadable | altered"""
    reason: str
