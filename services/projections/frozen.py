"""A worker that froze in the middle of a transaction, perhaps of a statement, where no timeout of PostgreSQL's reaches
it: whoever has its partition meanwhile ends its session.

How long it has held the partition is what the one who waits has seen by a clock that cannot be set.
"""

import asyncpg

from services.projections.sql import QUERIES

FROZEN_SECONDS = 10.0
"""A transaction that is seen to hold a partition of ours for so long is nobody's any more."""


class Holders:
    """Which transaction was last seen to hold each partition, and since when."""

    def __init__(self) -> None:
        self._seen: dict[int, tuple[str, float]] = {}

    async def end_frozen(self, connection: asyncpg.Connection, partition: int, now: float) -> None:
        """To be asked again and again while the partition cannot be locked; `now` in seconds, of a monotonic clock."""
        transaction = await connection.fetchval(QUERIES["holder"], partition)
        if transaction is None:
            self._seen.pop(partition, None)
            return
        seen, since = self._seen.get(partition, ("", now))
        self._seen[partition] = transaction, since if seen == transaction else now
        if now - self._seen[partition][1] >= FROZEN_SECONDS:
            await connection.execute(QUERIES["end_holder"], transaction)
