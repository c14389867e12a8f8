"""The checkpoints as the consumer asks for them: where to begin, and back to the beginning."""

from collections.abc import Mapping

import asyncpg

from services.projections.checkpoint import Checkpoint
from services.projections.decode import SERVICE_OF_TOPIC
from services.projections.sql import QUERIES
from services.projections.tables import lock_checkpoint, save_checkpoint
from shared.events.topics import EVENT_TOPICS

Offsets = Mapping[tuple[str, int], int]
"""(topic, partition) -> the next offset; 0 of a partition that was never folded is left out."""


async def offsets(connection: asyncpg.Connection) -> Offsets:
    rows = [Checkpoint.of(row) for row in await connection.fetch(QUERIES["checkpoints"])]
    return {
        (EVENT_TOPICS[service].name, row.partition): offset for row in rows for service, offset in row.offsets.items()
    }


async def rewind(connection: asyncpg.Connection, topic: str, partition: int) -> None:
    """The log holds other records than those that were folded: it is read again from its first one.

    What was folded stays. Versions tell the repeats, and park what contradicts them.
    """
    service = SERVICE_OF_TOPIC[topic]
    async with connection.transaction():
        checkpoint = await lock_checkpoint(connection, partition)
        checkpoint.offsets[service], checkpoint.tails[service] = 0, ""
        await save_checkpoint(connection, checkpoint)
