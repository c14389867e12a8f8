"""What a broker lost of the log is published again from the store.

**How a loss is seen.** `relay_position` names the offset of the last acknowledged record and the event in it. The log
has lost its tail if it ends at or before that offset, or holds another event there; and if the first offset of a new
acknowledgement is not behind the position. Only the relay writes, and only at the end, so nothing else can be missing.

**What is published again.** The log is read, and of each stream the longest 1, 2, 3 … that stands there in this order
is what it holds. Whatever the store has above that and the outbox has not is published, in order of `seq`. That is
exact: an event of the store is either held, or in the outbox (never acknowledged, and sent afterwards), or lost; and
versions of one stream are sent in their order, so none overtakes. If a later version slipped in between a loss and its
discovery, it stands behind a gap, does not count as held, and comes once more behind the others.

**Why what is lost is published twice, with a filling between.** A reader that was at offset 100 goes on at 100, though
the log now ends at 90 and grows anew. Were the next new event put at 95, that reader would never see it. So come

1. the lost events, from the log's new end on: a watermark that promised them below offset 100 is true again;
2. one event over and over, to where no reader can have been: the position, and one round behind it, since a round may
   have been acknowledged that the relay did not live to note;
3. the lost events again, for readers that stood somewhere within 1 or 2.

An offset that somebody may have passed thus never comes to hold something new. Readers know a repeat by its stream and
version. A restoration that is cut short is gone on with: `lost_from` notes where the log ended, so that 1 goes on with
what is still missing and 3 knows what was; and the position follows each acknowledgement, so that 2 stays true. It is
kept, with `restored_to`, for a loss that takes a part of what was restored: that one goes back to the first.

**A log that knows more than the store** means that the store went back, to a backup. Its lost events stay in the log:
they were published, and every reader has them. What the store writes now under the same versions is published too, and
the projections put it aside as a fork; streams that lost nothing go on. How many records the store does not know is
said here, once, when they are first met; what is to be done about the forks is for people to decide.

Memory: the versions of one partition's streams, twice, and a page of events.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import replace

import asyncpg
from prometheus_client import Counter, Gauge

from shared.eventstore import outbox
from shared.eventstore.log_reader import LogReader, event_id, stream_version
from shared.eventstore.outbox import ROUND, Position, Positions
from shared.eventstore.publisher import Publisher
from shared.runtime import logs
from shared.runtime.failpoint import failpoint

PAGE = 20_000

log = logs.get(__name__)
republished = Counter("siao_relay_republished_total", "Records published again because a broker lost its tail")

unknown = Gauge("siao_relay_unknown_records", "Records met in the log that the store does not hold: it went back")

Held = Mapping[str, int]
"""Stream -> up to which version the log holds it without a gap."""


async def verify(connection: asyncpg.Connection, reader: LogReader, publisher: Publisher) -> Positions:
    """Compares the positions with the log, restores what was lost, and answers the positions that hold now.

    Where the log goes on behind a position (acknowledged, not noted), the position moves to its end.
    Raises KafkaError, OSError, asyncpg.PostgresError, Stalled; repeat it then.
    """
    known, ends = await outbox.positions(connection), await reader.ends()
    lost = {p for p, position in known.items() if position.restoring or position.offset >= ends[p]}
    begins = await reader.begins()
    ranges = {p: (known[p].offset if p in known else begins[p], end) for p, end in enumerate(ends) if p not in lost}
    found: Positions = {}
    async for partition, records in reader.read({p: span for p, span in ranges.items() if span[1]}):
        if partition in known and partition not in found and event_id(records[0]) != known[partition].event_id:
            lost.add(partition)
        elif foreign := await outbox.unknown(connection, [(event_id(r), *stream_version(r)) for r in records]):
            unknown.inc(foreign)
            log.error("log_ahead_of_store", partition=partition, records=foreign, end=ends[partition])
        for record in records:
            if known_id := event_id(record):
                found[partition] = Position(record.offset, known_id)
    sound = {p: position for p, position in found.items() if p not in lost}
    await outbox.note(connection, sound)
    for partition in sorted(lost):
        log.error("log_tail_lost", partition=partition, position=known[partition].offset, end=ends[partition])
        restoration = Restoration(connection, reader, publisher, partition, known[partition])
        sound[partition] = await restoration.run(ends[partition])
    return sound


class Restoration:
    """Of one partition, whose position is `at`."""

    def __init__(
        self, connection: asyncpg.Connection, reader: LogReader, publisher: Publisher, partition: int, at: Position
    ) -> None:
        self._connection, self._reader, self._publisher = connection, reader, publisher
        self._partition, self._at = partition, at

    async def run(self, end: int) -> Position:
        """`end`: where the log ends now. Answers the position behind which nothing is missing."""
        lost_from, passed = self._lost_from(end), max(self._at.offset + ROUND + 1, end)
        await self._note(replace(self._at, lost_from=lost_from, restored_to=None))
        then, now = await self._held(lost_from, end)
        end = await self._send_lost(now, end)
        end = await self._fill(end, passed)
        end = await self._send_lost(then, end)
        last = await self._last(end)
        await self._note(replace(self._at, offset=last.offset, event_id=last.event_id, restored_to=end))
        return self._at

    def _lost_from(self, end: int) -> int:
        """An earlier loss is over if all that restored it is there. (A round may have come in before this was seen.)"""
        at = self._at
        if at.lost_from is None or (at.restored_to is not None and at.restored_to <= end - ROUND):
            return end
        return min(at.lost_from, end)

    async def _held(self, lost_from: int, end: int) -> tuple[Held, Held]:
        """What the log holds before `lost_from`, and what it holds now."""
        then: dict[str, int] = {}
        now: dict[str, int] = {}
        first = (await self._reader.begins())[self._partition]
        async for _, records in self._reader.read({self._partition: (first, end)}):
            for record in records:
                stream, version = stream_version(record)
                for held in (then, now) if record.offset < lost_from else (now,):
                    if version == held.get(stream, 0) + 1:
                        held[stream] = version
        return then, now

    async def _send_lost(self, held: Held, end: int) -> int:
        async for page in self._above(held):
            seqs = page
            while seqs:
                rows = await outbox.acknowledged(self._connection, seqs)
                end = await self._send(rows, end)
                seqs = [seq for seq in seqs if seq > rows[-1]["seq"]] if rows else seqs[ROUND:]
        return end

    async def _above(self, held: Held) -> AsyncIterator[list[int]]:
        """The `seq` of the partition's events that are not held, in order, a page at a time."""
        after = 0
        while page := await self._connection.fetch(
            "SELECT seq, stream, version FROM event WHERE partition = $1 AND seq > $2 ORDER BY seq LIMIT $3",
            self._partition,
            after,
            PAGE,
        ):
            after = page[-1]["seq"]
            yield [seq for seq, stream, version in page if version > held.get(stream, 0)]

    async def _fill(self, end: int, passed: int) -> int:
        """The first event of the partition is the first version of its stream, so it may stand anywhere."""
        first = await outbox.first(self._connection, self._partition)
        while first and end < passed:
            end = await self._send([first] * min(ROUND, passed - end), end)
        return end

    async def _send(self, rows: Sequence[asyncpg.Record], end: int) -> int:
        while rows:
            acks, failures = await self._publisher.publish(rows)
            if failures:
                raise failures[0]
            rows, end = rows[len(acks[0].seqs) :], acks[0].last + 1
            republished.inc(len(acks[0].seqs))
            await self._note(replace(self._at, offset=max(self._at.offset, acks[0].last)))
            failpoint("relay.restoring")
        return end

    async def _note(self, at: Position) -> None:
        self._at = at
        await outbox.note_loss(self._connection, self._partition, at)

    async def _last(self, end: int) -> Position:
        """What stands last in the log; the position as it was while the log holds no event at all."""
        last = self._at
        async for _, records in self._reader.read({self._partition: (max(0, end - 1), end)}):
            last = Position(records[-1].offset, event_id(records[-1]) or last.event_id)
        return last
