"""Records that must never be believed, as a super user could put them into the log; each a changed sound one."""

import random
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from aiokafka import AIOKafkaProducer, ConsumerRecord
from aiokafka.record.default_records import _DefaultRecordBatchBuilderPy
from aiokafka.structs import RecordMetadata

from shared.events import envelope
from shared.events.topics import MAX_MESSAGE_BYTES
from tests.support.log import Record, resealed, told
from tests.support.servers import Servers

LARGEST = MAX_MESSAGE_BYTES - 4096
"""Of a value: the broker refuses a larger record, so that no consumer ever meets one."""


def header(record: Record, name: str, value: bytes) -> Record:
    """Another value for one header, under a hash that fits where the value is text."""
    changed = replace(record, headers=[(n, value if n == name else v) for n, v in record.headers])
    try:
        return resealed(changed, record.value or b"")
    except UnicodeDecodeError:
        return changed


def hashed(record: Record, digest: bytes) -> Record:
    return replace(record, headers=[(n, digest if n == "ce_hash" else v) for n, v in record.headers])


def data(text: bytes) -> Callable[[Record], Record]:
    return lambda record: resealed(record, text)


def _twice(record: Record) -> Record:
    return resealed(record, (record.value or b"").replace(b"{", b'{"occurred_on":"2001-01-01",', 1))


KINDS: Mapping[str, Callable[[Record], Record]] = {
    "bad JSON": data(b"{"),
    "JSON, but no object": data(b"[]"),
    "NaN": data(b'{"occurred_on":NaN}'),
    "bad UTF-8": data(b'{"household":"\xff\xfe"}'),
    "deep nesting": data(b'{"members":' + b"[" * 200_000),
    "duplicate keys": _twice,
    "as large as the broker takes": data(b" " * LARGEST),
    "no value": lambda r: replace(r, value=None),
    "unknown type": lambda r: header(r, "ce_type", b"HouseholdPainted.v1"),
    "a version to come of its type": lambda r: header(r, "ce_type", told(r)["ce_type"].replace(".v1", ".v99").encode()),
    "version 0": lambda r: header(r, "ce_version", b"0"),
    "a version that is no number": lambda r: header(r, "ce_version", b"first"),
    "a version beyond any integer": lambda r: header(r, "ce_version", b"9" * 4000),
    "NUL in a header": lambda r: header(r, "ce_agency", b"a\0b"),
    "headers that are not UTF-8": lambda r: header(r, "ce_actor", b"\xff"),
    "a header's name that is not UTF-8": lambda r: replace(r, headers=[*r.headers, ("x\ufffd", b"1")]),
    "NUL in a header's name": lambda r: replace(r, headers=[*r.headers, ("x\0y", b"1")]),
    "no headers": lambda r: replace(r, headers=[]),
    "a header twice": lambda r: replace(r, headers=[*r.headers, ("ce_id", b"x")]),
    "an oversized header": lambda r: header(r, "ce_subject", b"x" * 500_000),
    "a thousand headers": lambda r: replace(r, headers=[*r.headers, *((f"x{n}", b"1") for n in range(1000))]),
    "wrong hash": lambda r: replace(r, value=(r.value or b"") + b" "),
    "no hash": lambda r: replace(r, headers=[(n, v) for n, v in r.headers if n != "ce_hash"]),
    "another's hash": lambda r: hashed(r, b"0" * 64),
    "its hash in capitals": lambda r: hashed(r, told(r)["ce_hash"].upper().encode()),
    "wrong key": lambda r: replace(r, key=b"hh_00000000000000000000"),
    "no key": lambda r: replace(r, key=None),
}
"""Those of one stream at its own next version would be a fork, not poison, if they were sound; none is."""


@dataclass(frozen=True)
class Put:
    """Where a poisonous record came to stand."""

    kind: str
    topic: str
    partition: int
    offset: int


def of_consumed(record: ConsumerRecord) -> Record:
    return Record(record.topic, record.partition, record.offset, record.key, record.value, list(record.headers))


def chosen(draw: random.Random, sound: Sequence[Record], count: int) -> list[tuple[str, Record]]:
    """Some kinds, each made from one of the sound records."""
    kinds = draw.sample([*KINDS], min(count, len(KINDS)))
    return [(kind, KINDS[kind](draw.choice(sound))) for kind in kinds] if sound else []


async def put(servers: Servers, records: Iterable[tuple[str, Record]]) -> list[Put]:
    """Into the log, as a super user; of a key of their own only where they say so. Raises KafkaError."""
    placed = []
    async with AIOKafkaProducer(**servers.kafka_login("admin"), max_request_size=16 * MAX_MESSAGE_BYTES) as producer:
        for kind, r in records:
            named = [(n, v or b"") for n, v in r.headers]
            if "".join(n for n, _ in named).isascii():
                at = await producer.send_and_wait(r.topic, r.value, r.key, partition=r.partition, headers=named)
            else:
                at = await _put_raw(producer, r, named)
            placed.append(Put(kind, r.topic, at.partition, at.offset))
    return placed


async def _put_raw(producer: AIOKafkaProducer, record: Record, named: Sequence[tuple[str, bytes]]) -> RecordMetadata:
    """As a client may that does not look at what it writes; the bytes are then delivered as `record` has them."""
    batch = producer.create_batch()
    batch._builder = _DefaultRecordBatchBuilderPy(2, 0, 0, -1, -1, -1, MAX_MESSAGE_BYTES)
    headers = [(_Raw(name), value) for name, value in named]
    batch.append(timestamp=None, key=record.key, value=record.value, headers=headers)
    sent = await producer.send_batch(batch, record.topic, partition=record.partition)
    return await sent


class _Raw(str):
    def encode(self, encoding: str = "utf-8", errors: str = "strict") -> bytes:
        return super().encode(encoding, errors).replace("\ufffd".encode(), b"\xff")


def is_sound(record: Record) -> bool:
    """Whether its hash fits: what the relay wrote, or the same again."""
    try:
        headers = [(n, (v or b"").decode()) for n, v in record.headers]
        return dict(headers)["ce_hash"] == envelope.chain_hash(envelope.canonical(headers), record.value or b"")
    except (KeyError, UnicodeDecodeError):
        return False
