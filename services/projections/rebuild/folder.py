"""`python -m services.projections fold SCHEMA [KNOWN_AT]`: one of the processes that fold the log into a schema.

A line in: a Job, what to fold and how far. Lines out: a tally after each transaction, and
"null" when all is folded. The end of its input ends it, so it never outlives the rebuild that started it.
"""

import asyncio
import os
import sys
from collections.abc import Iterator
from contextlib import AsyncExitStack
from datetime import datetime

import asyncpg
import msgspec
from aiokafka import AIOKafkaConsumer
from confluent_kafka import Consumer

from services.projections import checkpoints, engine
from services.projections.checkpoint import LogRewritten, LostRecords
from services.projections.rebuild import load, merged, targets
from services.projections.rebuild.reading import reading
from services.projections.rebuild.tally import Tally
from services.projections.rebuild.targets import Targets
from shared.runtime import collector
from shared.runtime.consumer import consuming
from shared.runtime.failpoint import failpoint
from shared.runtime.settings import Settings

LANES = 2
"""While PostgreSQL works for one, the other reads and decodes."""
NO_WAIT_MS = 5
"""A lane goes to its next partition number when the last answer has come, and what it asks for is there."""
REWRITTEN = 3
"""Exit code: the log holds something else than what was folded of it."""


class Job(msgspec.Struct):
    """`load`: into tables that are empty and have no indexes (load.py), not on from where they stand."""

    wanted: Targets
    load: bool


def main(arguments: list[str]) -> None:
    collector.rarely()
    schema, *known_at = arguments
    moment = datetime.fromisoformat(known_at[0]) if known_at else None
    try:
        asyncio.run(_serve(Settings(service="projections"), schema, moment))
    except (LogRewritten, LostRecords):
        sys.exit(REWRITTEN)


async def _serve(settings: Settings, schema: str, moment: datetime | None) -> None:
    jobs = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(jobs), sys.stdin)
    async with AsyncExitStack() as stack:
        reader = stack.enter_context(reading(settings))
        lanes = [Lane(*await _opened(stack, settings, schema), moment) for _ in range(LANES)]
        line = await jobs.readline()
        while line:
            following = asyncio.create_task(jobs.readline())
            work = asyncio.create_task(_fold(lanes, reader, msgspec.json.decode(line, type=Job)))
            await asyncio.wait([work, following], return_when=asyncio.FIRST_COMPLETED)
            if not work.done():
                os._exit(0)  # nobody waits for it any more
            await work
            _say(None)
            line = await following


async def _opened(
    stack: AsyncExitStack, settings: Settings, schema: str
) -> tuple[asyncpg.Connection, AIOKafkaConsumer]:
    connection = await connect(settings, schema)
    stack.push_async_callback(connection.close, timeout=5)
    return connection, await stack.enter_async_context(consuming(settings, wait_ms=NO_WAIT_MS))


async def _fold(lanes: list["Lane"], reader: Consumer, job: Job) -> None:
    numbers = iter(sorted(job.wanted))
    if job.load:
        await lanes[0].load(reader, numbers, job.wanted)
    else:
        await asyncio.gather(*(lane.fold(numbers, job.wanted) for lane in lanes))


class Lane:
    """One connection and one consumer, for one partition number after another."""

    def __init__(self, connection: asyncpg.Connection, consumer: AIOKafkaConsumer, moment: datetime | None) -> None:
        self._connection, self._consumer, self._moment = connection, consumer, moment

    async def fold(self, numbers: Iterator[int], wanted: Targets) -> None:
        have = targets.of_offsets(await checkpoints.begin(self._connection, wanted))
        for number in numbers:
            async for slices in merged.batches(self._consumer, number, have[number], wanted[number]):
                read = sum(len(piece.records) for piece in slices)
                _say(Tally.of(read, await engine.settle(self._connection, {number: slices})))
                failpoint("rebuild.folding")

    async def load(self, reader: Consumer, numbers: Iterator[int], wanted: Targets) -> None:
        for number in numbers:
            _say(await load.load(self._connection, reader, number, wanted[number], self._moment))
            failpoint("rebuild.folding")


async def connect(settings: Settings, schema: str) -> asyncpg.Connection:
    """As the projections' own role. Its commits need not wait for the disk: rows and checkpoint are lost together, and
    the switch, which waits, makes all of them last."""
    return await asyncpg.connect(
        settings.database.get_secret_value(),
        command_timeout=300,
        server_settings={
            "search_path": schema,
            "synchronous_commit": "off",
            "application_name": "siao-projections-rebuild",
        },
    )


def _say(tally: Tally | None) -> None:
    sys.stdout.buffer.write(msgspec.json.encode(tally) + b"\n")
    sys.stdout.buffer.flush()
