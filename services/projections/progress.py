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
LOOK_BACK = 100
"""Records: some of each of the three relays."""

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


async def begin(consumer: AIOKafkaConsumer, connection: asyncpg.Connection) -> None:
    """Has the consumer read the newest marks, in no group."""
    consumer.assign([NEWEST])
    first, end = await consumer.beginning_offsets([NEWEST]), await consumer.end_offsets([NEWEST])
    await connection.execute(QUERIES["marks_begin_again"], end[NEWEST])
    consumer.seek(NEWEST, max(first[NEWEST], end[NEWEST] - LOOK_BACK))


async def keep(connection: asyncpg.Connection, records: Iterable[ConsumerRecord], clock: Clock) -> None:
    """Stores the newest mark of each service among `records`, unless it was heard before.

    `clock` is the kind that the stack runs on.
    """
    newest = {mark.service: (mark, record.offset) for record in records if (mark := read(record))}
    for mark, offset in newest.values():
        told = mark.service, mark.mark, msgspec.json.encode(mark.offsets).decode(), clock, offset
        await connection.execute(QUERIES["first_mark"], *told)
        await connection.execute(QUERIES["mark"], *told)


def read(record: ConsumerRecord) -> Mark | None:
    """None for what is no mark: it is logged, and the next one says the same and more."""
    try:
        return _DECODER.decode(record.value or b"")
    except ValueError as error:
        log.warning("mark_unreadable", offset=record.offset, why=type(error).__name__)
        return None
