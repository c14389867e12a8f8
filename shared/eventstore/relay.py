"""Publishes what the outbox holds, in order of `seq`, and deletes it once Kafka has acknowledged it.

A session is a lock, a producer and a reader, and begins by comparing the log with what was acknowledged (restore.py).
Whatever breaks ends the session, loses nothing, and the next one begins. Every event arrives at least once, and each
stream's versions in their order; a repeat is of something that readers have passed. No cursor over `seq`: numbers do
not commit in their order, and a cursor would leave behind what commits late.
"""

import asyncio
from collections.abc import Sequence
from time import monotonic

import asyncpg
from aiokafka.errors import KafkaError
from prometheus_client import Counter
from starlette.applications import Starlette

from shared.eventstore import outbox
from shared.eventstore.log_reader import reading
from shared.eventstore.outbox import Positions
from shared.eventstore.publisher import Ack, Publisher, publishing
from shared.eventstore.restore import verify
from shared.eventstore.watermark import Watermark
from shared.runtime import logs
from shared.runtime.failpoint import failpoint
from shared.runtime.lock import sole
from shared.runtime.settings import Settings
from shared.runtime.wake import listening
from shared.runtime.worker import Pulse, worker

IDLE_SECONDS = 0.25
"""Between looks when nothing pokes."""
GATHER_SECONDS = 0.02
"""How long events gather behind those that were just published: whatever reads them then has them together, and at low
rates a message costs more than what is in it."""
MARK_SECONDS, IDLE_MARK_SECONDS = 1.0, 5.0
"""Between watermarks while events come, and while none do."""

log = logs.get(__name__)
published = Counter("siao_relay_published_total", "Events acknowledged by Kafka and taken out of the outbox")


class TailLost(KafkaError):  # type: ignore[misc]  # aiokafka has no types
    """The log ends before what it had acknowledged; the next session restores it."""


def app(settings: Settings) -> Starlette:
    """The relay process of `settings.service`."""

    async def session(pulse: Pulse) -> None:
        async with (
            sole(settings, "relay", pulse) as connection,
            publishing(settings) as publisher,
            reading(settings) as reader,
            listening(settings) as wake,
        ):
            relay = Relay(connection, publisher, await verify(connection, reader, publisher))
            watermark = Watermark(settings, connection, reader, publisher)
            await watermark.prepare()
            log.info("publishing")
            due, moved = monotonic(), True
            while True:
                pulse.beat()
                sent = await relay.round()
                moved = moved or sent > 0
                if monotonic() >= due - (IDLE_MARK_SECONDS - MARK_SECONDS) * moved:
                    relay.compare(await watermark.advance())
                    due, moved = monotonic() + IDLE_MARK_SECONDS, watermark.held_back
                if not sent:
                    await wake.wait(IDLE_SECONDS)
                elif sent < outbox.ROUND:
                    await asyncio.sleep(GATHER_SECONDS)

    return worker(f"Siao relay of {settings.service}", session)


class Relay:
    def __init__(self, connection: asyncpg.Connection, publisher: Publisher, positions: Positions) -> None:
        self._connection, self._publisher, self._positions = connection, publisher, positions

    async def round(self) -> int:
        """Publishes what waits, at most outbox.ROUND events; answers how many were acknowledged.

        Of a partition that failed nothing leaves the outbox, so its events come again before any later one.
        Raises the first failure, TailLost, asyncpg.PostgresError, Stalled.
        """
        rows = await outbox.waiting(self._connection)
        if not rows:
            return 0
        failpoint("relay.before_send")
        acks, failures = await self._publisher.publish(rows)
        failpoint("relay.after_send")
        sound = [ack for ack in acks if ack.first > self._end(ack.partition)]
        await self._acknowledge(sound)
        if failures:
            raise failures[0]
        if len(sound) < len(acks):
            raise TailLost
        return sum(len(ack.seqs) for ack in sound)

    def compare(self, ends: Sequence[int]) -> None:
        """Raises TailLost if a partition ends at or before its position."""
        if any(position.offset >= ends[partition] for partition, position in self._positions.items()):
            raise TailLost

    async def _acknowledge(self, acks: Sequence[Ack]) -> None:
        failpoint("relay.before_delete")
        self._positions |= await outbox.acknowledge(self._connection, acks)
        published.inc(sum(len(ack.seqs) for ack in acks))

    def _end(self, partition: int) -> int:
        return self._positions[partition].offset if partition in self._positions else -1
