"""Beside the worker, in a thread of its own: the relays' marks, the lag, and an end to the process when it stalls.

Faust can stop consuming without a word (its issues 175, 523, 532, 629). What is seen here comes from a Kafka client
and a PostgreSQL connection of its own, so a stall in the worker's cannot hide.
"""

import asyncio
import time

import asyncpg
from aiokafka import AIOKafkaConsumer, TopicPartition

from services.projections import checkpoints, metrics, progress
from services.projections.checkpoints import Offsets
from services.projections.decode import SERVICE_OF_TOPIC
from services.projections.faust_seam import App
from services.projections.sql import QUERIES
from shared.errors import SiaoError
from shared.events.topics import PARTITIONS
from shared.runtime import kafka
from shared.runtime.settings import Clock, Settings
from shared.runtime.worker import Pulse, Session

STALLED_SECONDS = 30.0
ROUND_SECONDS = 1.0
LOOK_SECONDS = 5.0
EXPIRE_SECONDS = 3600.0

EVENTS = [TopicPartition(topic, partition) for topic in SERVICE_OF_TOPIC for partition in range(PARTITIONS)]


class Stalled(SiaoError):
    """Ends the process; its supervisor starts it again."""


class Stall:
    """Since when each partition has stood still with records before it, and since when there are none at all."""

    def __init__(self, now: float) -> None:
        self._moved: dict[tuple[str, int], tuple[int, float]] = {}
        self._assigned_at = now

    def look(self, now: float, assigned: frozenset[tuple[str, int]], done: Offsets, ends: Offsets) -> None:
        """Raises Stalled. `done`: the checkpoints; `ends`: the ends of the log."""
        if assigned:
            self._assigned_at = now
        elif now - self._assigned_at > STALLED_SECONDS:
            raise Stalled("no partition is assigned")
        for place in assigned:
            offset = done.get(place, 0)
            before, since = self._moved.get(place, (-1, now))
            if offset != before or offset >= ends[place]:
                self._moved[place] = (offset, now)
            elif now - since > STALLED_SECONDS:
                raise Stalled(f"{place[0]}-{place[1]} stands at {offset} of {ends[place]}")
        self._moved = {place: moved for place, moved in self._moved.items() if place in assigned}


def session(app: App, settings: Settings) -> Session:
    """One connection to each server, for as long as both last."""

    async def watch(pulse: Pulse) -> None:
        consumer = AIOKafkaConsumer(**kafka.login(settings), auto_offset_reset="latest")
        connection = await asyncpg.connect(settings.database.get_secret_value(), command_timeout=30)
        try:
            await consumer.start()
            await progress.begin(consumer, connection)
            await _rounds(pulse, app, consumer, connection, settings.clock)
        finally:
            await consumer.stop()
            await connection.close(timeout=5)

    return watch


async def _rounds(
    pulse: Pulse, app: App, consumer: AIOKafkaConsumer, connection: asyncpg.Connection, clock: Clock
) -> None:
    stall, look_at, expire_at = Stall(time.monotonic()), 0.0, 0.0
    while True:
        fetched = await consumer.getmany(progress.NEWEST)
        await progress.keep(connection, [record for records in fetched.values() for record in records], clock)
        now = time.monotonic()
        if now >= look_at:
            done, ends = await checkpoints.offsets(connection), await _ends(consumer)
            _show(app.assigned, done, ends)
            stall.look(now, app.assigned, done, ends)
            look_at = now + LOOK_SECONDS
        if now >= expire_at:
            await connection.execute(QUERIES["expire_quarantine"])
            expire_at = now + EXPIRE_SECONDS
        if app.assigned:
            pulse.beat()
        await asyncio.sleep(ROUND_SECONDS)


async def _ends(consumer: AIOKafkaConsumer) -> Offsets:
    return {(tp.topic, tp.partition): end for tp, end in (await consumer.end_offsets(EVENTS)).items()}


def _show(assigned: frozenset[tuple[str, int]], done: Offsets, ends: Offsets) -> None:
    for place in assigned:
        metrics.LAG.labels(SERVICE_OF_TOPIC[place[0]], place[1]).set(max(0, ends[place] - done.get(place, 0)))
