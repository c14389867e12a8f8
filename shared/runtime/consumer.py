"""A consumer that keeps its place somewhere else than in Kafka."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiokafka import AIOKafkaConsumer

from shared.runtime import batches
from shared.runtime.kafka import login
from shared.runtime.settings import Settings

REQUEST_TIMEOUT_MS = 10_000
METADATA_MAX_AGE_MS = 3_000
"""A client that began while the broker was away looks again after this; by default it would idle for five minutes."""

LOOK_SECONDS = 1.0


def calm(consumer: AIOKafkaConsumer) -> None:
    """Has a consumer that was started look for work of its own once a second, not five times: it is woken for all that
    there is to do. tests/contracts/test_batches.py pins that."""
    consumer._fetcher._fetcher_timeout = LOOK_SECONDS


@asynccontextmanager
async def consuming(settings: Settings, *, wait_ms: int = 500) -> AsyncIterator[AIOKafkaConsumer]:
    """Of no group, assigned nothing yet. An offset that does not exist is an error. Raises KafkaError.

    `wait_ms`: how long the broker may hold an answer back while there is nothing new.
    """
    batches.install()
    consumer = AIOKafkaConsumer(
        **login(settings),
        group_id=None,
        enable_auto_commit=False,
        auto_offset_reset="none",
        isolation_level="read_committed",
        request_timeout_ms=REQUEST_TIMEOUT_MS,
        metadata_max_age_ms=METADATA_MAX_AGE_MS,
        fetch_max_wait_ms=wait_ms,
    )
    try:
        await consumer.start()
        calm(consumer)
        yield consumer
    finally:
        await close(consumer)


async def close(consumer: AIOKafkaConsumer) -> None:
    """`stop`, whose cancelled fetches would otherwise cancel us while no broker can be reached (aiokafka 0.14)."""
    await asyncio.wait([asyncio.create_task(consumer.stop())])
    await consumer._client.close()  # where `stop` did not come so far
