"""Sends stored events to Kafka, byte for byte, and says where they came to stand.

One batch a partition at a time, the next one only when all are settled, so that of two versions of a stream the later
can never arrive first. aiokafka's idempotent producer repeats what is unanswered, without end and without doubles; what
it cannot repeat it raises, and then a new producer must begin, from what the log holds (restore.py).
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, TypeVar
from uuid import UUID

import asyncpg
from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError
from aiokafka.producer.message_accumulator import BatchBuilder

from shared.errors import SiaoError
from shared.events import envelope
from shared.events.topics import EVENT_TOPICS, PROGRESS
from shared.runtime.kafka import login
from shared.runtime.settings import Settings

COLUMNS = "seq, id, stream, partition, recorded_at, headers, value, hash"
"""Of `event`, in the order in which rows are unpacked here."""

BATCH_BYTES = 900_000
"""Uncompressed: below MAX_MESSAGE_BYTES, which Kafka applies to a whole batch, even where nothing can be compressed.
One event alone may be larger."""

REQUEST_TIMEOUT_MS = 10_000
STALLED_SECONDS = 60.0
FAREWELL_SECONDS = 5.0

NOTHING = UUID(int=0)

T = TypeVar("T")


class Stalled(SiaoError):
    """Kafka took nothing for a minute. A producer cannot drop what it holds, so the process must end."""


class OffsetForgotten(KafkaError):  # type: ignore[misc]  # aiokafka has no types
    """The broker has the batch and has forgotten where."""


@dataclass(frozen=True, slots=True)
class Ack:
    """The first of a partition's rows, acknowledged."""

    partition: int
    first: int
    """Offset of the first record."""
    seqs: list[int]
    last_id: UUID

    @property
    def last(self) -> int:
        return self.first + len(self.seqs) - 1


@dataclass(slots=True)
class _Batch:
    builder: BatchBuilder
    seqs: list[int] = field(default_factory=list)
    last_id: UUID = NOTHING
    full: bool = False

    def add(self, row: asyncpg.Record) -> None:
        seq, event_id, stream, _, recorded_at, headers, value, digest = row
        named = [(name, text.encode()) for name, text in envelope.split(headers)]
        named.append(("ce_hash", digest.encode()))
        milliseconds = int(recorded_at.timestamp() * 1000)
        key = envelope.key_of(stream).encode()
        if self.builder.append(timestamp=milliseconds, key=key, value=value, headers=named) is None:
            self.full = True
        else:
            self.seqs.append(seq)
            self.last_id = event_id


class Publisher:
    def __init__(self, producer: AIOKafkaProducer, service: str) -> None:
        self._producer, self._service = producer, service
        self._topic = EVENT_TOPICS[service].name

    async def publish(self, rows: Sequence[asyncpg.Record]) -> tuple[list[Ack], list[BaseException]]:
        """Sends, of each partition, the first rows that fit into one batch. Answers what was acknowledged, and what
        went wrong elsewhere. `rows` have COLUMNS and stand in order of `seq`. Raises KafkaError, Stalled.
        """
        batches = self._batches(rows)
        answers = await _patiently(self._send(batches))
        acks: list[Ack] = []
        failures: list[BaseException] = []
        for (partition, batch), answer in zip(batches.items(), answers, strict=True):
            if isinstance(answer, BaseException):
                failures.append(answer)
            elif answer.offset < 0:
                failures.append(OffsetForgotten())
            else:
                acks.append(Ack(partition, answer.offset, batch.seqs, batch.last_id))
        return acks, failures

    async def tell_progress(self, value: bytes) -> None:
        """Publishes a watermark. Raises KafkaError, Stalled."""
        sent = self._producer.send_and_wait(PROGRESS.name, value, key=self._service.encode(), partition=0)
        await _patiently(sent)

    def _batches(self, rows: Sequence[asyncpg.Record]) -> dict[int, _Batch]:
        batches: dict[int, _Batch] = {}
        for row in rows:
            batch = batches.get(row[3])
            if batch is None:
                batch = batches[row[3]] = _Batch(self._producer.create_batch())
            if not batch.full:
                batch.add(row)
        return batches

    async def _send(self, batches: dict[int, _Batch]) -> list[Any]:
        """What aiokafka says of each batch: where its first record stands, or an exception."""
        sent = [await self._producer.send_batch(b.builder, self._topic, partition=p) for p, b in batches.items()]
        answers: list[Any] = await asyncio.gather(*sent, return_exceptions=True)
        return answers


async def _patiently(work: Awaitable[T]) -> T:
    try:
        async with asyncio.timeout(STALLED_SECONDS):
            return await work
    except TimeoutError:
        raise Stalled("Kafka has acknowledged nothing for a minute") from None


@asynccontextmanager
async def publishing(settings: Settings) -> AsyncIterator[Publisher]:
    """A producer of the service. Raises KafkaError; Stalled when at the end it cannot get rid of what it holds."""
    producer = AIOKafkaProducer(
        **login(settings),
        acks="all",
        enable_idempotence=True,
        compression_type="lz4",
        max_batch_size=BATCH_BYTES,
        linger_ms=0,
        request_timeout_ms=REQUEST_TIMEOUT_MS,
    )
    try:
        await producer.start()
        yield Publisher(producer, settings.service)
    finally:
        try:
            await asyncio.wait_for(producer.stop(), FAREWELL_SECONDS)
        except TimeoutError:
            raise Stalled("Kafka does not take what was handed to the producer") from None
