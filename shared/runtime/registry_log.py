"""Records of followed topics, read and checked as the projections do it: `sound` checks those of any service, `read`
those of the registry and finds the events about households among them. Nothing here trusts a record; reasons quote
nothing of it."""

import re
from collections.abc import Iterable, Sequence
from typing import NamedTuple, Protocol

from shared.events import envelope
from shared.events.base import HouseholdId, Version
from shared.events.envelope import Envelope, Header
from shared.events.topics import partition_of

HOUSEHOLD = re.compile("household-hh_[0-9a-z]{20}")
"""A stream to follow; the registry may publish others."""
SHAPES = {
    "ce_version": re.compile("[1-9][0-9]{0,8}"),
    "ce_id": re.compile("[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"),
    "ce_agency": re.compile("[\x20-\x7e]{1,100}"),
}
"""Of headers, beside what reading an envelope asks for."""
YEARS = range(1900, 9000)
"""Of recorded_at."""


class LogRecord(Protocol):
    """What a Kafka client delivers, or the quarantine kept."""

    @property
    def partition(self) -> int: ...
    @property
    def offset(self) -> int: ...
    @property
    def headers(self) -> Sequence[tuple[str, bytes | None]]: ...
    @property
    def value(self) -> bytes | None: ...


class Delivered(LogRecord, Protocol):
    @property
    def key(self) -> bytes | None: ...


class Readable(NamedTuple):
    """An event about a household: its envelope is sound, of its value nothing is known yet."""

    told: Envelope
    hash: str
    record: LogRecord

    @property
    def slot(self) -> tuple[HouseholdId, Version, str]:
        return self.told.key, self.told.version, self.hash


class Aside(NamedTuple):
    """A record that is not taken, and why."""

    record: LogRecord
    reason: str
    waits: Readable | None = None
    """The same, where it can be looked at again when more is known."""


class Unsound(Exception):
    """Why a record is no event of the service."""


def read(records: Iterable[Delivered]) -> tuple[list[Readable], list[Aside]]:
    """The events about households among the records, and what could not be read."""
    readable: list[Readable] = []
    aside: list[Aside] = []
    for record in records:
        try:
            told, digest = sound(record, "registry")
        except Unsound as why:
            aside.append(Aside(record, str(why)))
            continue
        if HOUSEHOLD.fullmatch(told.stream):
            readable.append(Readable(told, digest, record))
        elif told.stream.startswith("household"):
            aside.append(Aside(record, "no household's stream"))
    return readable, aside


def sound(record: Delivered, service: str) -> tuple[Envelope, str]:
    """Its envelope and hash. Raises Unsound unless it stands where that service would have put it."""
    try:
        named = [(name, (value or b"").decode()) for name, value in record.headers]
        told, digest = envelope.read(named)
    except (KeyError, ValueError) as error:
        raise Unsound(f"headers: {type(error).__name__}") from None
    if record.value is None or envelope.chain_hash(envelope.canonical(named), record.value) != digest:
        raise Unsound("the hash does not fit")
    if record.key != told.key.encode() or record.partition != partition_of(told.key):
        raise Unsound("in another place of the log")
    if told.source != f"/siao/{service}":
        raise Unsound("headers: ce_source")
    _check(named, told)
    return told, digest


def _check(named: Sequence[Header], told: Envelope) -> None:
    """Raises Unsound for headers in which two readers might see different things."""
    headers = dict(named)
    if len(headers) < len(named) or not all(text and "\0" not in text for text in headers.values()):
        raise Unsound("headers: empty, NUL, or named twice")
    wrong = [name for name, shape in SHAPES.items() if not shape.fullmatch(headers[name])]
    if told.recorded_at.tzinfo is None or told.recorded_at.year not in YEARS:
        wrong.append("ce_time")
    if wrong:
        raise Unsound(f"headers: {wrong[0]}")
