"""Appends events as a write service does, without its HTTP: many at once, and as slowly as a test wants."""

import asyncio
import random
from collections.abc import Sequence
from datetime import date

import asyncpg

from shared.events.codes import Dimension, Source
from shared.events.registry import HouseholdRegistered, Need, NeedsAssessed
from shared.eventstore import clock, store
from shared.runtime import ids
from shared.runtime.postgres import TRANSIENT
from shared.runtime.settings import Clock
from shared.runtime.statement import Statement

DAY = date(2019, 10, 1)
PASSING: tuple[type[Exception], ...] = (asyncpg.UniqueViolationError, *TRANSIENT)
"""Two began the same streams at once, or the server restarts."""
ORIGIN = store.Origin("example-office", "ac-test", "c-1")


def event_of(household: str, version: int) -> HouseholdRegistered | NeedsAssessed:
    """The first event registers the household, every later one assesses it."""
    if version == 1:
        return HouseholdRegistered(occurred_on=DAY, household=household, village="40190101", members=())
    needs = (Need(dimension=Dimension.LIVING, in_need=version % 2 == 0),)
    source, office = Source.HOME_VISIT, "example-office"
    return NeedsAssessed(occurred_on=DAY, household=household, needs=needs, source=source, interviewer=office)


async def append(connection: asyncpg.Connection, households: Sequence[str], kind: Clock = "real") -> list[store.Record]:
    """One more event for each, in the caller's transaction; `households` may name one several times."""
    streams = sorted({f"household-{h}" for h in households})
    look_up = Statement(connection)
    store.lock(look_up, streams)
    clock.look_up(look_up, kind)
    heads = dict.fromkeys(streams, store.Head()) | store.locked(await look_up.read())
    stamp = store.Stamp("registry", clock.now(look_up.told), kind)
    records = []
    for household in households:
        stream = f"household-{household}"
        event = event_of(household, heads[stream].version + 1)
        one = store.record(stamp, stream, heads[stream], event, ORIGIN)
        heads[stream] = store.Head(one.version, one.hash, one.recorded_at)
        records.append(one)
    writing = Statement(connection)
    store.append(writing, records, kind)
    await writing.write()
    return records


async def append_many(pool: asyncpg.Pool, count: int, *, at_once: int = 16, seed: int = 0) -> list[store.Record]:
    """`count` events to a few hundred new streams, by concurrent transactions that sleep before they commit."""
    draw = random.Random(seed)
    households = [ids.new_id("hh") for _ in range(300)]
    written: list[store.Record] = []

    async def appender() -> None:
        while len(written) < count:
            some = draw.sample(households, draw.randint(1, 20))
            try:
                async with pool.acquire() as connection, connection.transaction():
                    records = await append(connection, some)
                    await asyncio.sleep(draw.choice((0, 0, 0.001, 0.02)))
            except PASSING:
                await asyncio.sleep(0.01)
                continue
            written.extend(records)

    await asyncio.gather(*(appender() for _ in range(at_once)))
    return written
