"""All checkpoints: where the consumer begins, and the ways back when the log is no longer what it was."""

from collections.abc import Collection, Mapping

import asyncpg

from services.projections import parking
from services.projections.checkpoint import SERVICES, Checkpoint
from services.projections.decode import SERVICE_OF_TOPIC
from services.projections.sql import QUERIES, run
from services.projections.tables import lock_checkpoints, save_checkpoints
from shared.events.topics import EVENT_TOPICS

Rows = Mapping[int, Checkpoint]
"""By partition number; without those that were never folded."""
Offsets = Mapping[tuple[str, int], int]
"""(topic, partition) -> the next offset."""


async def load(connection: asyncpg.Connection) -> Rows:
    found = [Checkpoint.of(row) for row in await connection.fetch(QUERIES["checkpoints"])]
    return {checkpoint.partition: checkpoint for checkpoint in found}


def places(rows: Rows) -> Offsets:
    return {
        (EVENT_TOPICS[service].name, number): row.offsets[service]
        for number, row in rows.items()
        for service in SERVICES
    }


async def offsets(connection: asyncpg.Connection) -> Offsets:
    return places(await load(connection))


async def begin(connection: asyncpg.Connection, partitions: Collection[int]) -> Offsets:
    """Where to begin; partitions that were never folded get their row."""
    await connection.execute(QUERIES["new_checkpoints"], sorted(partitions))
    return await offsets(connection)


async def rewind(connection: asyncpg.Connection, topic: str, partition: int) -> None:
    """The log holds other records than those that were folded: it is read again from its first one.

    What was folded stays. Versions tell the repeats, and park what contradicts them. What is parked is forgotten: if
    the log still holds it, it comes again.
    """
    service = SERVICE_OF_TOPIC[topic]
    async with connection.transaction():
        checkpoint = (await lock_checkpoints(connection, [partition]))[partition]
        await _go_back(connection, checkpoint, service, 0, "")
        await run(connection, save_checkpoints([checkpoint]))


async def step_back(connection: asyncpg.Connection, earlier: Rows, partitions: Collection[int]) -> None:
    """To where the checkpoints of some partition numbers stood earlier; those that stand before it stay."""
    for number in sorted(earlier.keys() & set(partitions)):
        async with connection.transaction():
            checkpoint, before = (await lock_checkpoints(connection, [number]))[number], earlier[number]
            for service in SERVICES:
                if before.offsets[service] < checkpoint.offsets[service]:
                    await _go_back(connection, checkpoint, service, before.offsets[service], before.tails[service])
            await run(connection, save_checkpoints([checkpoint]))


async def _go_back(
    connection: asyncpg.Connection, checkpoint: Checkpoint, service: str, offset: int, tail: str
) -> None:
    await connection.execute(QUERIES["settle_mark"], service)
    checkpoint.offsets[service], checkpoint.tails[service] = offset, tail
    if await parking.forget(connection, EVENT_TOPICS[service].name, checkpoint.partition, offset):
        await connection.execute(QUERIES["unsettle"], service)
