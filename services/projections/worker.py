"""The Faust worker: one agent on the three event topics, lanes into which they are gathered, PostgreSQL behind them."""

import time
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from functools import cache
from itertools import chain
from typing import Any

import asyncpg

from services.projections import checkpoints, engine, metrics, tables
from services.projections.checkpoint import LogRewritten, LostRecords, Slice
from services.projections.checkpoints import Offsets
from services.projections.decode import SERVICE_OF_TOPIC, read
from services.projections.engine import Settled, Slices
from services.projections.faust_seam import App, event_stream, make_app
from services.projections.frozen import Holders
from services.projections.lanes import Lanes, Take
from services.projections.patience import Patient
from services.projections.scheduling import Batch
from shared.events.topics import EVENT_TOPICS
from shared.runtime import logs, postgres
from shared.runtime.poke import Poker
from shared.runtime.settings import Settings

log = logs.get(__name__)


class Worker:
    """Nothing may escape from what it does with a batch: Faust would drop the batch and go on."""

    def __init__(self, settings: Settings) -> None:
        self.database = Patient(settings, postgres.PLANNED_ONCE)
        self._holders = Holders()
        self._poke = Poker(settings)
        self.app: App = make_app(settings, self)
        self._lanes: Lanes | None = None
        event_stream(self.app, self._project)

    async def begin(self, partitions: Collection[int]) -> Offsets:
        return await self.database.run(lambda connection: checkpoints.begin(connection, partitions))

    async def rewind(self, topic: str, partition: int) -> None:
        log.error("log_rewritten", topic=topic, partition=partition)
        await self.database.run(lambda connection: checkpoints.rewind(connection, topic, partition))

    async def _project(self, stream: Any) -> None:
        self._lanes = self._lanes or Lanes(self._settle)
        async for batch in stream:
            await self._lanes.put(batch)

    async def _settle(self, take: Take) -> Collection[int]:
        # Taken and read once, however often PostgreSQL is asked; and not before there is a connection for it.
        batches = cache(lambda: [batch for batch in chain(*take().values()) if self.app.is_current(batch)])
        slices = cache(lambda: by_partition(batches()))

        def current() -> Slices:  # what another has been given meanwhile is not fought for
            return slices() if all(map(self.app.is_current, batches())) else {}

        begun = time.perf_counter()
        try:
            settled = await self.database.run(lambda connection: self._fold(connection, current()))
        except LogRewritten as found:
            await self.rewind(EVENT_TOPICS[found.service].name, found.partition)
            await self.app.give_up(found)
        except LostRecords as lost:
            if all(map(self.app.is_current, batches())):
                await self.app.give_up(lost)
        except Exception as error:
            await self.app.give_up(error)
        else:
            if settled.records:
                self._poke()
                metrics.SECONDS.observe(time.perf_counter() - begun)
                tell(settled, sorted(slices()))
            return settled.locked
        return ()

    async def _fold(self, connection: asyncpg.Connection, slices: Slices) -> Settled:
        """`engine.settle`; takes the partitions from a worker that froze while it held them."""
        if not slices:
            return Settled()
        settled = await engine.settle(connection, slices, tables.lock_free_checkpoints)
        for partition in settled.locked:
            await self._holders.end_frozen(connection, partition, time.monotonic())
        return settled


def by_partition(batches: Iterable[Batch]) -> Slices:
    """Their records, read; once, however often they have to wait for a lock."""
    slices: dict[int, list[Slice]] = defaultdict(list)
    for batch in batches:
        batch.kept = batch.kept or Slice(SERVICE_OF_TOPIC[batch.topic], batch.start, [*map(read, batch.records())])
        slices[batch.partition].append(batch.kept)
    return slices


def tell(settled: Settled, partitions: Sequence[int]) -> None:
    """Metrics, and a line in the log for what somebody should look at."""
    metrics.BATCH.observe(settled.records)
    metrics.FOLDED.inc(settled.folded)
    metrics.REPEATED.inc(settled.repeated)
    metrics.REFOLDED.inc(settled.refolded)
    metrics.QUARANTINED.inc(settled.quarantined)
    for reason, n in settled.parked.items():
        metrics.PARKED.labels(reason).inc(n)
    if settled.quarantined or settled.parked:
        log.error("records_set_aside", partitions=partitions, quarantined=settled.quarantined, parked=settled.parked)
