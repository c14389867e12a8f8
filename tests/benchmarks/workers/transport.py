"""Siao's batch transport (services/projections/faust_seam.py and lanes.py) with a handler that only counts.

Exact: the counts and the offsets commit in one transaction, under the partition's row lock. With BENCH_MEMORY it folds
in memory alone and tells the counts at the end.
"""

import gc
import os
from collections import Counter
from collections.abc import Collection, Mapping
from itertools import chain
from typing import Any

import asyncpg
from pydantic import SecretStr

from services.projections import faust_seam
from services.projections.lanes import Lanes, Take
from services.projections.patience import CONNECTIONS
from shared.runtime.settings import Settings
from tests.benchmarks.peers.job import NUMBERED, Cell, Stopwatch, Told, columns, counted

LOCK = """
INSERT INTO bench.checkpoint VALUES ($1, $2, 0)
ON CONFLICT (topic, partition) DO UPDATE SET next = checkpoint.next RETURNING next"""
MOVE = "UPDATE bench.checkpoint SET next = $3 WHERE topic = $1 AND partition = $2"


class Count:
    def __init__(self, told: Told, settings: Settings, *, memory: bool) -> None:
        self._told, self._watch, self._memory = told, Stopwatch(told.events), memory
        self._pool: asyncpg.Pool | None = None
        self._lanes: Lanes | None = None
        self._held: Counter[Cell] = Counter()
        self.app = faust_seam.make_app(settings, self)
        topic = self.app.topic(*told.topics, schema=faust_seam.BatchSchema(), acks=False)  # as event_stream does
        self.app.agent(topic, name="projections")(self._project)

    async def begin(self, partitions: Collection[int]) -> Mapping[tuple[str, int], int]:
        self._pool = self._pool or await asyncpg.create_pool(self._told.dsn, min_size=1, max_size=CONNECTIONS)
        rows = await self._pool.fetch("SELECT * FROM bench.checkpoint")
        self._watch.began()
        return {(row["topic"], row["partition"]): row["next"] for row in rows}

    async def rewind(self, topic: str, partition: int) -> None:
        raise AssertionError("the log was lost")

    async def _project(self, stream: Any) -> None:
        self._lanes = self._lanes or Lanes(self._settle)
        async for batch in stream:
            await self._lanes.put(batch)

    async def _settle(self, take: Take) -> Collection[int]:
        try:
            await (self._fold(take) if self._memory else self._commit(take))
        except Exception as error:
            await self.app.give_up(error)
        return ()

    async def _fold(self, take: Take) -> None:
        for batch in filter(self.app.is_current, chain(*take().values())):
            counts = counted(batch.partition, batch.records())
            self._held.update(counts)
            self._watch.add(counts.total(), lambda: [(*cell, n) for cell, n in self._held.items()])

    async def _commit(self, take: Take) -> None:
        assert self._pool is not None
        async with self._pool.acquire() as connection, connection.transaction():
            counts: Counter[Cell] = Counter()
            for batch in filter(self.app.is_current, chain(*take().values())):
                place = batch.topic, batch.partition
                following = await connection.fetchval(LOCK, *place)
                assert batch.start <= following, "records were lost"
                new = (record for record in batch.records() if record.offset >= following)
                counts.update(counted(batch.partition, new))
                await connection.execute(MOVE, *place, batch.offset + 1)
            if counts:
                await connection.execute(NUMBERED, *columns(counts))
        self._watch.add(counts.total())


def main() -> None:
    told = Told()
    faust_seam.GROUP = told.group
    gc.freeze()
    gc.set_threshold(50_000, 50, 100)  # as services/projections/__main__.py
    settings = Settings(
        service="projections", kafka=told.kafka, kafka_user=told.user, kafka_password=SecretStr(told.password)
    )
    faust_seam.run(Count(told, settings, memory="BENCH_MEMORY" in os.environ).app)


if __name__ == "__main__":
    main()
