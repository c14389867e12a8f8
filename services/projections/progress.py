"""The relays' marks: until when everything that a service recorded is in the log, and up to which offsets."""

from collections.abc import Iterable
from datetime import datetime
from typing import Annotated, Literal

import asyncpg
import msgspec
from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition

from services.projections.sql import QUERIES
from shared.events.topics import PROGRESS
from shared.runtime import logs
from shared.runtime.settings import Clock

NEWEST = TopicPartition(PROGRESS.name, 0)
LOOK_BACK = 1_000
"""Records: more than the three relays write while nobody reads."""

log = logs.get(__name__)


Zoned = Annotated[datetime, msgspec.Meta(tz=True)]
Partition = Annotated[str, msgspec.Meta(pattern=r"^[0-9]{1,4}\Z")]
Offset = Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)]


class Mark(msgspec.Struct, frozen=True):
    service: Literal["registry", "pairing", "interventions"]
    mark: Zoned
    offsets: dict[Partition, Offset]
    """Partition number -> end of the service's topic."""
    clock: Zoned
    """The service's time when it said so."""


_DECODER = msgspec.json.Decoder(Mark)


async def begin(consumer: AIOKafkaConsumer) -> None:
    """Has the consumer read the newest marks, in no group."""
    consumer.assign([NEWEST])
    begin, end = await consumer.beginning_offsets([NEWEST]), await consumer.end_offsets([NEWEST])
    consumer.seek(NEWEST, max(begin[NEWEST], end[NEWEST] - LOOK_BACK))


async def keep(connection: asyncpg.Connection, records: Iterable[ConsumerRecord], clock: Clock) -> None:
    """Stores the newest mark of each service among `records`; `clock` is the kind that the stack runs on."""
    newest = {mark.service: mark for mark in map(_read, records) if mark is not None}
    for mark in newest.values():
        offsets = msgspec.json.encode(mark.offsets).decode()
        await connection.execute(QUERIES["mark"], mark.service, mark.mark, offsets, clock)


def _read(record: ConsumerRecord) -> Mark | None:
    """None for what is no mark: it is logged, and the next one says the same and more."""
    try:
        return _DECODER.decode(record.value or b"")
    except ValueError as error:
        log.warning("mark_unreadable", offset=record.offset, why=type(error).__name__)
        return None
