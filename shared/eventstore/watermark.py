"""Until when everything that a service recorded is in the log, and up to which offsets: `siao.progress.v1`.

A message {"service", "mark", "offsets": {"0": end, …}, "clock"} says: every event of the service with `recorded_at`
before `mark` stands in its topic below these offsets. `clock` is the service's time then; the mark's age is the
difference. Its steps, in this order:

1. read the service's clock and keep it as the store's floor, before which nothing is recorded by who begins later;
   then read which transactions of the service's role are open (`pending`); some time later
2. read again which are open (at once, if none was); go on only when none of those in 1 is among them;
3. read the oldest `recorded_at` in the outbox; the mark is the lesser of it and of the clock in 1;
4. read the end offset of every partition; publish.

**Why it is true.** Take an event recorded before the mark, and the transaction that wrote it. Had that begun after 1,
it would have read the clock after 1 (inside the transaction) and recorded a time not before the floor, and so not
before the mark. So it was open in 1, or had ended before; by 2 it has ended in either case, and PostgreSQL makes a
commit visible before it takes the transaction off pg_stat_activity. So 3 sees its outbox row, which bounds the mark,
unless the relay has deleted it, which it does after Kafka's acknowledgement: it is in the log at 4.

Only identities of transactions are compared, never their start (which is real time) with `recorded_at` (which may be
simulated). A simulated clock that is set forward jumps at a commit: who read it before the jump was open in 1, or read
no less than 1 did. Who was open in 1 and stays so only holds the mark back, be it a reader or an idle transaction: the
last mark is repeated, and stays true, since nothing recorded before it can still come. Nobody else holds it.
Should the machine's clock be set back, events are recorded at the floor, and the mark stands, until it has caught up;
the log says so.

The relay's own connection writes no events and is left out. Others of the role that wait do so outside of transactions
(shared/runtime/lock.py). Anything that appends must log in as the service's role.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

import asyncpg
from prometheus_client import Gauge

from shared.errors import Misconfigured
from shared.events import progress
from shared.eventstore import clock, outbox
from shared.eventstore.log_reader import LogReader
from shared.eventstore.publisher import Publisher
from shared.runtime import logs
from shared.runtime.settings import Settings

log = logs.get(__name__)
waiting = Gauge("siao_relay_outbox_rows", f"Events not acknowledged yet, counted up to {outbox.MOST_COUNTED}")
lag = Gauge("siao_relay_lag_seconds", "Age of the oldest event in the outbox, by the service's clock")
age = Gauge("siao_relay_watermark_age_seconds", "The service's clock less the mark, when last published")

NOTICED = timedelta(seconds=1)
"""A clock that is corrected by less is not worth a line."""

Transaction = tuple[int, datetime]
"""(process number of its session, start): names one transaction of the server."""


@dataclass(frozen=True, slots=True)
class Pending:
    """A time, and the transactions that were open just after it was read."""

    clock: datetime
    open: frozenset[Transaction]


class Watermark:
    def __init__(
        self, settings: Settings, connection: asyncpg.Connection, reader: LogReader, publisher: Publisher
    ) -> None:
        self._settings, self._connection = settings, connection
        self._reader, self._publisher = reader, publisher
        self._pending: Pending | None = None
        self._mark: datetime | None = None
        self._clock_went_back = False

    async def prepare(self) -> None:
        """Raises Misconfigured where the server does not say which transactions are open, or refuses the clock."""
        await clock.claim(self._connection, self._settings.clock)
        if await self._connection.fetchval("SHOW track_activities") != "on":
            raise Misconfigured("PostgreSQL must run with track_activities = on")

    async def advance(self) -> list[int]:
        """One round of the steps above; answers the end offsets. Raises KafkaError, asyncpg.PostgresError, Stalled."""
        now, behind = await clock.raise_floor(self._connection, self._settings.clock)
        self._watch_clock(behind)
        settled = await self._settled(now)
        count, oldest = await outbox.backlog(self._connection)
        waiting.set(count)
        lag.set((now - oldest).total_seconds() if oldest else 0)
        if settled and count < outbox.MOST_COUNTED:
            self._mark = min(settled, oldest or settled)
        ends = await self._reader.ends()
        if self._mark:
            age.set((now - self._mark).total_seconds())
            await self._publisher.tell_progress(self._message(now, self._mark, ends))
        return ends

    @property
    def held_back(self) -> bool:
        """Whether the last round waits for transactions to end: the next should come soon."""
        return self._pending is not None

    async def _settled(self, now: datetime) -> datetime | None:
        """The latest time for which 1 and 2 are done, if that moved in this round."""
        current = await self._open()
        before = self._pending or Pending(now, current)
        if before.open & current:
            self._pending = before
            return None
        self._pending = Pending(now, current) if current else None
        return before.clock if current else now

    def _watch_clock(self, behind: timedelta) -> None:
        if behind > NOTICED and not self._clock_went_back:
            log.error("clock_went_back", seconds=behind.total_seconds())
        self._clock_went_back = behind > NOTICED

    async def _open(self) -> frozenset[Transaction]:
        rows = await self._connection.fetch(
            """SELECT pid, xact_start FROM pg_stat_activity
               WHERE datname = current_database() AND usename = session_user
                 AND pid <> pg_backend_pid() AND xact_start IS NOT NULL"""
        )
        return frozenset((row["pid"], row["xact_start"]) for row in rows)

    def _message(self, now: datetime, mark: datetime, ends: list[int]) -> bytes:
        offsets = {str(partition): end for partition, end in enumerate(ends)}
        told = progress.Watermark(service=self._settings.service, mark=mark, offsets=offsets, clock=now)
        return told.model_dump_json().encode()
