"""The three topics of a partition number as one course of batches, in the order in which events were recorded.

The engine takes any order. In this one it hardly ever has to fold a household again, so that the time of a rebuild
grows with the events and not with their square; and no more than one fetch a topic is held in memory.
"""

from collections.abc import AsyncIterator, Mapping
from datetime import datetime

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition

from services.projections.checkpoint import Slice
from services.projections.decode import SERVICE_OF_TOPIC, read
from services.projections.facts import LogRecord
from shared.events.topics import EVENT_TOPICS

AT_ONCE = 4_000
"""Records of one fetch. A transaction holds up to three of them, and a process two transactions: its memory is bounded
by that, whatever the log's length."""
WAIT_MS = 1_000
SILENT_ROUNDS = 30

Waiting = dict[TopicPartition, list[ConsumerRecord]]


async def batches(
    consumer: AIOKafkaConsumer, number: int, begin: Mapping[str, int], until: Mapping[str, int]
) -> AsyncIterator[list[Slice]]:
    """From `begin` (service -> offset) to just before `until`. Raises KafkaError, and TimeoutError when none arrives.

    The record before `begin` comes too: the engine compares it with what it saw there.
    """
    places = {
        TopicPartition(EVENT_TOPICS[service].name, number): max(begin[service] - 1, 0)
        for service in begin
        if begin[service] < until[service]
    }
    if not places:
        return
    consumer.assign(list(places))
    for place, offset in places.items():
        consumer.seek(place, offset)
    waiting: Waiting = {place: [] for place in places}
    at = dict(places)
    open_: set[TopicPartition] = set(places)
    while open_ or any(waiting.values()):
        await _fill(consumer, waiting, open_, until)
        yield _take(waiting, open_, at)


async def _fill(
    consumer: AIOKafkaConsumer, waiting: Waiting, open_: set[TopicPartition], until: Mapping[str, int]
) -> None:
    """Until something of every open topic waits. A topic that has reached its end is open no longer."""
    silent = 0
    while hungry := [place for place in open_ if not waiting[place]]:
        fetched = await consumer.getmany(*hungry, timeout_ms=WAIT_MS, max_records=AT_ONCE)
        for place, records in fetched.items():
            end = until[SERVICE_OF_TOPIC[place.topic]]
            waiting[place] += [record for record in records if record.offset < end]
        for place in hungry:
            if await consumer.position(place) >= until[SERVICE_OF_TOPIC[place.topic]]:
                open_.discard(place)
        silent = 0 if fetched else silent + 1
        if silent >= SILENT_ROUNDS:
            raise TimeoutError(f"records of {hungry[0].topic}-{hungry[0].partition} are there and none arrives")


def _take(waiting: Waiting, open_: set[TopicPartition], at: dict[TopicPartition, int]) -> list[Slice]:
    """What was recorded before anything that an open topic may still bring."""
    horizon = min((max(map(recorded, waiting[place])) for place in open_), default=None)
    taken = []
    for place, records in waiting.items():
        count = len(records)
        while horizon is not None and count and recorded(records[count - 1]) > horizon:
            count -= 1
        if count:
            taken.append(Slice(SERVICE_OF_TOPIC[place.topic], at[place], [read(record) for record in records[:count]]))
            at[place] = records[count - 1].offset + 1
            del records[:count]
    return taken


def recorded(record: LogRecord) -> bytes:
    """`ce_time` as it stands: of sound events it sorts like the time itself. Empty where there is none."""
    for name, text in record.headers:
        if name == "ce_time":
            return text or b""
    return b""


def is_known(record: LogRecord, moment: datetime) -> bool:
    """Whether it was recorded up to `moment`. Whose time nobody can read was never known."""
    try:
        return datetime.fromisoformat(recorded(record).decode()) <= moment
    except (ValueError, TypeError):  # no time at all, or without a zone
        return False
