"""How an event stands in the log: CloudEvents 1.0, Kafka binary mode, with a SHA-256 chain along each stream.

Sources: CloudEvents 1.0.2 §3 (attribute names are lower-case letters and digits only) and its Kafka protocol binding
1.0.2 §3.2 (binary mode: attributes are headers with the prefix `ce_`, the data is the value, bytes as they are).
"""

import hashlib
from collections.abc import Iterable
from datetime import UTC, date, datetime
from functools import lru_cache
from typing import NamedTuple

GENESIS = "0" * 64
"""`prev_hash` of a stream's first event."""

Header = tuple[str, str]


class Envelope(NamedTuple):
    """Everything about an event that is not its data. Optional parts are None and leave no header."""

    id: str
    """UUID of this event."""
    type: str
    source: str
    """`/siao/<service>`."""
    recorded_at: datetime
    """When the store accepted it (`ce_time`), aware; never goes back within a stream."""
    stream: str
    """`ce_subject`: household-hh_…, pairing-hh_…, helper-hp_…, case-hh_…"""
    version: int
    """1, 2, 3 … within the stream."""
    occurred_on: date
    agency: str
    """The publishing agency, from its token."""
    actor: str
    command_id: str
    clock: str
    """"real", or "simulated" in a demonstration."""
    prev_hash: str
    reported_on: date | None = None
    """The agency's own date of its report, where it gives one."""
    correlation_id: str | None = None
    causation_id: str | None = None
    traceparent: str | None = None

    @property
    def key(self) -> str:
        return key_of(self.stream)


def key_of(stream: str) -> str:
    """The Kafka key of a stream: the id behind its kind."""
    return stream.partition("-")[2]


def headers(envelope: Envelope) -> list[Header]:
    """The headers in the order in which they are stored, hashed and published; without `ce_hash`."""
    e = envelope
    every: tuple[tuple[str, str | None], ...] = (
        ("ce_specversion", "1.0"),
        ("ce_id", e.id),
        ("ce_type", e.type),
        ("ce_source", e.source),
        ("ce_time", timestamp(e.recorded_at)),
        ("ce_subject", e.stream),
        ("content-type", "application/json"),
        ("ce_version", str(e.version)),
        ("ce_occurredon", e.occurred_on.isoformat()),
        ("ce_reportedon", e.reported_on.isoformat() if e.reported_on else None),
        ("ce_agency", e.agency),
        ("ce_actor", e.actor),
        ("ce_commandid", e.command_id),
        ("ce_correlationid", e.correlation_id),
        ("ce_causationid", e.causation_id),
        ("ce_clock", e.clock),
        ("traceparent", e.traceparent),
        ("ce_prevhash", e.prev_hash),
    )
    return [(name, value) for name, value in every if value]


def read(named: Iterable[Header]) -> tuple[Envelope, str]:
    """The envelope and the hash in a record's headers.

    Raises KeyError for a header that is missing and ValueError for one that cannot be read.
    """
    h = dict(named)
    reported = h.get("ce_reportedon")
    if h["ce_specversion"] != "1.0":
        raise ValueError(f"CloudEvents version {h['ce_specversion']!r}")
    envelope = Envelope(
        id=h["ce_id"],
        type=h["ce_type"],
        source=h["ce_source"],
        recorded_at=datetime.fromisoformat(h["ce_time"]),
        stream=h["ce_subject"],
        version=int(h["ce_version"]),
        occurred_on=date.fromisoformat(h["ce_occurredon"]),
        reported_on=date.fromisoformat(reported) if reported else None,
        agency=h["ce_agency"],
        actor=h["ce_actor"],
        command_id=h["ce_commandid"],
        correlation_id=h.get("ce_correlationid"),
        causation_id=h.get("ce_causationid"),
        clock=h["ce_clock"],
        traceparent=h.get("traceparent"),
        prev_hash=h["ce_prevhash"],
    )
    return envelope, h["ce_hash"]


def canonical(named: Iterable[Header]) -> bytes:
    """The headers as bytes: name, NUL, value, NUL, in order; `ce_hash` left out. No header can hold a NUL."""
    return "".join([f"{name}\0{value}\0" for name, value in named if name != "ce_hash"]).encode()


def chain_hash(headers_bytes: bytes, value: bytes) -> str:
    """SHA-256 over the canonical headers (with `ce_prevhash` among them) and the value: 64 hex digits."""
    return hashlib.sha256(headers_bytes + value).hexdigest()


def split(canonical_headers: bytes) -> list[Header]:
    """The inverse of `canonical`."""
    parts = canonical_headers.decode().split("\0")
    return list(zip(parts[0:-1:2], parts[1:-1:2], strict=True))


@lru_cache(maxsize=1_000)
def timestamp(moment: datetime) -> str:
    """RFC 3339 in UTC with six decimals, so that text order is time order."""
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"
