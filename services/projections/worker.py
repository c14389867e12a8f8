"""The Faust worker: one agent on the three event topics, a lane a partition number, PostgreSQL behind them."""

import time
from collections.abc import Collection, Sequence
from functools import cache
from typing import Any

import asyncpg

from services.projections import checkpoints, engine, metrics
from services.projections.checkpoint import LogRewritten, LostRecords, Slice
from services.projections.checkpoints import Offsets
from services.projections.decode import SERVICE_OF_TOPIC, read
from services.projections.engine import Settled
from services.projections.faust_seam import App, Batch, event_stream, make_app
from services.projections.frozen import Holders
from services.projections.lanes import Lanes, Take
from services.projections.patience import Patient
from shared.events.topics import EVENT_TOPICS
from shared.runtime import logs
from shared.runtime.settings import Settings

log = logs.get(__name__)


class Worker:
    """Nothing may escape from what it does with a batch: Faust would drop the batch and go on."""

    def __init__(self, settings: Settings) -> None:
        self.database = Patient(settings)
        self._holders = Holders()
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

    async def _settle(self, partition: int, take: Take) -> None:
        # Taken and read once, however often PostgreSQL is asked; and not before there is a connection for it.
        batches = cache(lambda: [batch for batch in take() if self.app.is_current(batch)])
        slices = cache(lambda: [slice_of(batch) for batch in batches()])
        begun = time.perf_counter()
        try:
            settled = await self.database.run(lambda connection: self._fold(connection, partition, slices()))
        except LogRewritten as found:
            await self.rewind(EVENT_TOPICS[found.service].name, partition)
            await self.app.give_up(found)
        except LostRecords as lost:
            if all(map(self.app.is_current, batches())):
                await self.app.give_up(lost)
        except Exception as error:
            await self.app.give_up(error)
        else:
            metrics.SECONDS.observe(time.perf_counter() - begun)
            metrics.BATCH.observe(sum(len(piece.records) for piece in slices()))
            tell(partition, settled)

    async def _fold(self, connection: asyncpg.Connection, partition: int, slices: Sequence[Slice]) -> Settled:
        """`engine.settle`; takes the partition from a worker that froze while it held it."""
        if not slices:
            return Settled()
        try:
            return await engine.settle(connection, partition, slices)
        except asyncpg.LockNotAvailableError:
            await self._holders.end_frozen(connection, partition, time.monotonic())
            raise


def slice_of(batch: Batch) -> Slice:
    return Slice(SERVICE_OF_TOPIC[batch.topic], batch.start, [read(record) for record in batch.records()])


def tell(partition: int, settled: Settled) -> None:
    """Metrics, and a line in the log for what somebody should look at."""
    metrics.FOLDED.inc(settled.folded)
    metrics.REPEATED.inc(settled.repeated)
    metrics.REFOLDED.inc(settled.refolded)
    metrics.QUARANTINED.inc(settled.quarantined)
    for reason, n in settled.parked.items():
        metrics.PARKED.labels(reason).inc(n)
    if settled.quarantined or settled.parked:
        log.error("records_set_aside", partition=partition, quarantined=settled.quarantined, parked=settled.parked)
