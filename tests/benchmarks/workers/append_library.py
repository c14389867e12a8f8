"""The registry's desk as a library: reads, decides, seals, chains and appends commands in this process."""

import asyncio
import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from services.registry.api import Registry
from shared.commands.batch import Answer
from shared.commands.desk import Desk
from shared.commands.reading import Reader
from shared.events import catalog
from shared.eventstore import clock
from shared.runtime import collector, postgres
from shared.runtime.auth import Caller, Role
from shared.runtime.settings import Settings
from tests.benchmarks.peers.job import Stopwatch

AT_ONCE = 32
"""Senders, each of which waits for its answer."""
CALLER = Caller("bench-system", "example-office", Role.AGENCY)


async def main(bodies: Sequence[bytes]) -> None:
    settings = Settings(service="registry")
    registry = Registry(settings)
    async with await postgres.pool(settings, least=registry.at_once, session=postgres.PLANNED_ONCE) as pool:
        await clock.claim(pool, "real")
        desk = Desk(pool, registry, lambda: None)
        serving = asyncio.create_task(desk.run())
        collector.rarely()
        reader = Reader(catalog.COMMANDS["registry"], settings.key("body.key"))
        watch, waiting = Stopwatch(len(bodies)), iter(bodies)
        watch.began()
        await asyncio.gather(*(_send(waiting, reader, desk) for _ in range(AT_ONCE)))
        watch.add(len(bodies))
        serving.cancel()


async def _send(waiting: Iterator[bytes], reader: Reader, desk: Desk) -> None:
    for body in waiting:
        [outcome] = await desk.submit([reader.read(body, CALLER)], iter(()))
        if not isinstance(outcome, Answer):
            raise outcome


if __name__ == "__main__":
    asyncio.run(main(Path(os.environ["BENCH_FILE"]).read_bytes().splitlines()))
