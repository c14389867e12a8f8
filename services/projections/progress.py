"""The relays' marks: until when everything that a service recorded is in the log, and up to which offsets."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Annotated, Literal

import asyncpg
import msgspec
from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition

from services.projections.sql import QUERIES
from shared.events.topics import PROGRESS
from shared.runtime import logs
from shared.runtime.settings import Clock

PLACE = TopicPartition(PROGRESS.name, 0)
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


Heard = tuple[Mark, int]
"""A mark, and where it stands in the topic."""
_DECODER = msgspec.json.Decoder(Mark)


async def begin(consumer: AIOKafkaConsumer, connection: asyncpg.Connection) -> None:
    """Has the consumer read the newest marks, in no group."""
    consumer.assign([PLACE])
    first, end = await consumer.beginning_offsets([PLACE]), await consumer.end_offsets([PLACE])
    await connection.execute(QUERIES["marks_begin_again"], end[PLACE])
    consumer.seek(PLACE, max(first[PLACE], end[PLACE] - LOOK_BACK))


def newest(fetched: Mapping[TopicPartition, Sequence[ConsumerRecord]]) -> list[Heard]:
    """Of each service, the last."""
    read_ = ((read(record), record.offset) for records in fetched.values() for record in records)
    return list({mark.service: (mark, offset) for mark, offset in read_ if mark}.values())


async def keep(connection: asyncpg.Connection, marks: Iterable[Heard], clock: Clock) -> None:
    """Stores marks, unless they were heard before. `clock` is the kind that the stack runs on."""
    for mark, offset in marks:
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
