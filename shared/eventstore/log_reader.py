"""Reads a service's own topic: where each partition ends, and what stands there."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from uuid import UUID

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition

from shared.events.topics import EVENT_TOPICS, PARTITIONS
from shared.runtime.consumer import consuming
from shared.runtime.settings import Settings

SILENCE_SECONDS = 30.0
AT_ONCE = 2_000
MOST_DIGITS = 10


class LogReader:
    """Holds one consumer that is assigned nothing, so that it fetches nothing; each `read` has one of its own."""

    def __init__(self, consumer: AIOKafkaConsumer, settings: Settings) -> None:
        self._consumer, self._settings = consumer, settings
        self._places = [TopicPartition(EVENT_TOPICS[settings.service].name, number) for number in range(PARTITIONS)]

    async def begins(self) -> list[int]:
        """By partition, the first offset: 0 unless somebody cut the log. Raises KafkaError."""
        begins = await self._consumer.beginning_offsets(self._places)
        return [begins[place] for place in self._places]

    async def ends(self) -> list[int]:
        """By partition, the offset that the next record will get. Raises KafkaError."""
        ends = await self._consumer.end_offsets(self._places)
        return [ends[place] for place in self._places]

    async def read(self, ranges: Mapping[int, tuple[int, int]]) -> AsyncIterator[tuple[int, Sequence[ConsumerRecord]]]:
        """The records of each partition's [from, to), in their order, some of one partition at a time.

        Raises KafkaError, or TimeoutError when nothing arrives for half a minute.
        """
        until = {self._places[number]: end for number, (begin, end) in ranges.items() if begin < end}
        if not until:
            return
        async with consuming(self._settings) as consumer:
            consumer.assign(list(until))
            for place in until:
                consumer.seek(place, ranges[place.partition][0])
            while until:
                async with asyncio.timeout(SILENCE_SECONDS):
                    arrived = await _some(consumer)
                for place, records in arrived.items():
                    yield place.partition, [record for record in records if record.offset < until[place]]
                    if records[-1].offset + 1 >= until[place]:
                        del until[place]
                        consumer.pause(place)


async def _some(consumer: AIOKafkaConsumer) -> Mapping[TopicPartition, Sequence[ConsumerRecord]]:
    arrived: Mapping[TopicPartition, Sequence[ConsumerRecord]] = {}
    while not arrived:
        arrived = await consumer.getmany(timeout_ms=1_000, max_records=AT_ONCE)
    return arrived


def event_id(record: ConsumerRecord) -> UUID | None:
    """None for what is no event of ours."""
    try:
        return UUID(_header(record, "ce_id"))
    except ValueError:
        return None


def stream_version(record: ConsumerRecord) -> tuple[str, int]:
    """(stream, version); version 0 for what is no event of ours."""
    version = _header(record, "ce_version")
    return _header(record, "ce_subject"), int(version) if version.isdecimal() and len(version) <= MOST_DIGITS else 0


def _header(record: ConsumerRecord, name: str) -> str:
    return next(((value or b"").decode(errors="replace") for key, value in record.headers if key == name), "")


@asynccontextmanager
async def reading(settings: Settings) -> AsyncIterator[LogReader]:
    """Raises KafkaError."""
    async with consuming(settings) as consumer:
        yield LogReader(consumer, settings)
