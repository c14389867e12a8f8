"""Beside the worker, in a thread of its own: the relays' marks, the lag, the history of coverage, and an end to the
process when it stalls. Before all that: whether the tables are this version's, without which nothing is folded.

Faust can stop consuming without a word (its issues 175, 523, 532, 629). What is seen here comes from a Kafka client
and a PostgreSQL connection of its own, so a stall in the worker's cannot hide. That client also notices when a broker
was away, however shortly.
"""

import asyncio
import threading
import time
from collections.abc import Coroutine

import asyncpg
from aiokafka import AIOKafkaConsumer, TopicPartition

from services.projections import checkpoints, history, made_by, metrics, progress
from services.projections.checkpoints import Offsets, Rows
from services.projections.decode import SERVICE_OF_TOPIC
from services.projections.faust_seam import App, Links
from services.projections.patience import Patient
from services.projections.rebuild import schemas
from services.projections.sql import QUERIES
from shared.errors import SiaoError
from shared.events.topics import PARTITIONS
from shared.runtime import kafka, logs
from shared.runtime.consumer import calm, close
from shared.runtime.settings import Settings
from shared.runtime.worker import Pulse

STALLED_SECONDS = 30.0
STARVED_SECONDS = 300.0
"""A partition may stand still so long while others move: with a large backlog they take their turns."""
ROUND_SECONDS = 1.0
LOOK_SECONDS = 5.0
EXPIRE_SECONDS = 3600.0
FETCH_MS = 1_000
"""For which the broker may hold its answer back while there is no mark."""

SCHEMA = "projections"

log = logs.get(__name__)

EVENTS = [TopicPartition(topic, partition) for topic in SERVICE_OF_TOPIC for partition in range(PARTITIONS)]


class Stalled(SiaoError):
    """Ends the process; its supervisor starts it again."""


class Reconnected(SiaoError):
    """The broker was away. It may have lost the end of its log, and what came since may stand where we read already:
    the worker begins again from where its checkpoints stood before, and compares."""


class TablesAnew(SiaoError):
    """The tables were taken away and made again: the worker begins again from the first record of the log."""


class Stall:
    """Since when each partition has stood still with records before it, and since when there are none at all."""

    def __init__(self, now: float) -> None:
        self._moved: dict[tuple[str, int], tuple[int, float]] = {}
        self._assigned_at = self._any_moved_at = now

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
                self._any_moved_at = now if offset > before >= 0 else self._any_moved_at
        self._moved = {place: moved for place, moved in self._moved.items() if place in assigned}
        patience = STALLED_SECONDS if now - self._any_moved_at > STALLED_SECONDS else STARVED_SECONDS
        for place, (offset, since) in self._moved.items():
            if now - since > patience:
                raise Stalled(f"{place[0]}-{place[1]} stands at {offset} of {ends[place]}")


class Watch:
    """One Kafka client for as long as it lasts, and PostgreSQL whenever it is there."""

    def __init__(self, app: App, settings: Settings) -> None:
        self.app, self.settings = app, settings
        self.database = Patient(settings)
        self.links = Links()
        self.earlier: Rows = {}
        """The checkpoints at the last look."""
        self.may_fold = threading.Event()
        """Set once the tables are found to be this version's."""

    async def session(self, pulse: Pulse) -> None:
        await self._until_ours(pulse)
        consumer = AIOKafkaConsumer(
            **kafka.login(self.settings), auto_offset_reset="latest", fetch_max_wait_ms=FETCH_MS
        )
        try:
            await consumer.start()
            calm(consumer)
            await self.database.run(lambda connection: progress.begin(consumer, connection))
            await _together(self._rounds(pulse, consumer), history.keep_up(self.database))
        finally:
            await close(consumer)

    async def _until_ours(self, pulse: Pulse) -> None:
        """Waits for a rebuild where another version made the tables; who waits so is as well as it can be."""
        told = ""
        while other := await self.database.run(_other):
            if other != told:
                log.error("awaits_rebuild", tables=other, command="./siao rebuild")
                told = other
            metrics.AWAITS_REBUILD.set(1)
            pulse.beat("awaits ./siao rebuild")
            await asyncio.sleep(ROUND_SECONDS)
        metrics.AWAITS_REBUILD.set(0)
        self.may_fold.set()

    async def _rounds(self, pulse: Pulse, consumer: AIOKafkaConsumer) -> None:
        stall, look_at, expire_at = Stall(time.monotonic()), 0.0, 0.0
        while True:
            marks = progress.newest(await consumer.getmany(progress.PLACE))
            await self.database.run(lambda connection: progress.keep(connection, marks, self.settings.clock))  # noqa: B023
            now = time.monotonic()
            if now >= look_at:
                await self._look(stall, consumer)
                look_at = now + LOOK_SECONDS
            if now >= expire_at:
                await self.database.run(lambda connection: connection.execute(QUERIES["expire_quarantine"]))
                expire_at = now + EXPIRE_SECONDS
            if self.app.assigned:
                pulse.beat()
            await asyncio.sleep(ROUND_SECONDS)

    async def _look(self, stall: Stall, consumer: AIOKafkaConsumer) -> None:
        """Raises Stalled, Reconnected and TablesAnew."""
        rows = await self.database.run(checkpoints.load)  # before the broker is asked, so from before what it shows
        if self.earlier.keys() - rows.keys():
            raise TablesAnew
        ends = {(tp.topic, tp.partition): end for tp, end in (await consumer.end_offsets(EVENTS)).items()}
        assigned, done = self.app.assigned, checkpoints.places(rows)
        if not self.links.same(consumer):
            numbers = {number for _, number in assigned}
            await self.database.run(lambda connection: checkpoints.step_back(connection, self.earlier, numbers))
            raise Reconnected
        self.earlier = rows
        for topic, number in assigned:
            lag = max(0, ends[topic, number] - done.get((topic, number), 0))
            metrics.LAG.labels(SERVICE_OF_TOPIC[topic], number).set(lag)
        stall.look(time.monotonic(), assigned, done, ends)


async def _other(connection: asyncpg.Connection) -> str:
    if not await schemas.exists(connection, SCHEMA):
        raise asyncpg.InvalidSchemaNameError(SCHEMA)  # it is being made; this is waited for
    return await made_by.awaited(connection, SCHEMA) or await made_by.other(connection, SCHEMA)


async def _together(*works: Coroutine[None, None, None]) -> None:
    """Runs all of them until one ends, and raises what ended it."""
    tasks = [asyncio.create_task(work) for work in works]
    try:
        ended, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in ended:
            task.result()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
