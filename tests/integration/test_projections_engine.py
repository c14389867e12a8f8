"""The engine on a real PostgreSQL: whatever the order, the batches and the repeats, the tables come out the same."""

import asyncio
import json
import random
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import Any

import asyncpg
import pytest
import pytest_asyncio

from services.projections import checkpoints, engine, progress
from services.projections.checkpoint import LogRewritten, LostRecords
from services.projections.coverage import NUMBERS
from shared.events.codes import Dimension, HouseholdClass
from shared.events.envelope import GENESIS, timestamp
from shared.events.topics import EVENT_TOPICS, partition_of
from tests.support.log import (
    START,
    Log,
    Record,
    assessed,
    assigned,
    classified,
    delivered,
    enrolled,
    helper,
    household,
    registered,
    resealed,
    sealed,
    told,
)
from tests.support.projections import assert_rolled_up, crowd, feed, feed_at_once, slice_of, state, tables
from tests.support.servers import Servers

KEY = household(1)
NAME = f"household-{KEY}"


@pytest_asyncio.fixture
async def database(servers: Servers) -> AsyncIterator[asyncpg.Connection]:
    async with tables(servers.admin_dsn) as connection:
        yield connection


def story(n: int = 1) -> Log:
    log, key, by = Log(), household(n), helper(n)
    log.add(f"household-{key}", registered(key))
    log.add(f"helper-{by}", enrolled(by))
    log.add(f"pairing-{key}", assigned(key, by))
    log.add(f"household-{key}", assessed(key, health=True, living=True))
    log.add(f"case-{key}", delivered(key, n, Dimension.LIVING))
    return log


async def test_a_household_becomes_figures(database: asyncpg.Connection):
    log = story()
    assert sum(settled.folded for settled in await feed(database, log.records)) == 5
    asked = "SELECT dimension, measure, n FROM coverage_rollup WHERE definition = 'coverage-1' ORDER BY 1, 2"
    rows = await database.fetch(asked)
    assert [tuple(row) for row in rows] == [
        ("health", "need", 1),
        ("health", "unreached", 1),
        ("living", "need", 1),
        ("living", "reached", 1),
    ]
    assert await database.fetchval("SELECT lead FROM households_rollup") == "paired"
    assert await database.fetchval("SELECT n FROM caseload_rollup WHERE district = '4019'") == 1


async def test_what_the_ledger_packs_its_view_reads(database: asyncpg.Connection):
    moves = [sign * number for number in NUMBERS.values() for sign in (1, -1)]
    await database.execute(
        "INSERT INTO coverage_ledger VALUES ($1, now(), $2, 1, gen_random_uuid(), 0, now(), '', '', '', $3)",
        KEY,
        NAME,
        moves,
    )
    rows = await database.fetch("SELECT definition, dimension, measure, delta FROM coverage_changes")
    assert [tuple(row) for row in rows] == [(*told, sign) for told in NUMBERS for sign in (1, -1)]


async def test_the_same_again_changes_nothing(database: asyncpg.Connection):
    log = story()
    await feed(database, log.records)
    before = await state(database)
    await feed(database, log.records)
    for record in list(log.records):
        log.put(record)
    again = await feed(database, log.records[5:])
    assert (sum(s.folded for s in again), sum(s.repeated for s in again)) == (0, 5)
    assert await state(database) == before


async def feed_in_any_order(database: asyncpg.Connection, records: Sequence[Record], draw: random.Random) -> None:
    """Streams are shuffled against and within themselves, some records come twice, in batches of any size."""
    log, order = Log(), [*records, *draw.sample(records, len(records) // 10)]
    draw.shuffle(order)
    for record in order:
        log.put(record)
    sent = 0
    while sent < len(order):
        size = draw.randint(1, 40)
        await feed_at_once(database, log.records[sent : sent + size])
        sent += size


@pytest.mark.parametrize("seed", range(4))
async def test_any_order_any_batches_any_repeats_give_the_same_tables(servers: Servers, seed: int):
    log = crowd(8, seed)
    async with tables(servers.admin_dsn) as straight, tables(servers.admin_dsn) as shuffled:
        await feed(straight, log.records)
        await feed_in_any_order(shuffled, log.records, random.Random(seed))
        assert await state(shuffled) == await state(straight)
        await assert_rolled_up(shuffled)


async def test_the_number_of_queries_grows_neither_with_the_batch_nor_with_its_partitions(database: asyncpg.Connection):
    asked: list[str] = []
    counts = []
    with database.query_logger(lambda query: asked.append(query.query)):
        for size in 1, 60:
            records = crowd(size, seed=1).records
            await database.execute("TRUNCATE fact, stream_head, card, checkpoint")
            asked.clear()
            await feed_at_once(database, records)
            counts.append((len(records), len(asked)))
    (few, queries_few), (many, queries_many) = counts
    assert many > 20 * few
    assert queries_many <= queries_few + 1  # what only some batches need: zero cells to clear
    assert queries_many <= 8


async def test_one_fact_takes_five_messages(database: asyncpg.Connection):
    """At low rates a message costs more than what it asks for."""
    asked: list[str] = []
    log = story()
    await feed(database, log.records)
    with database.query_logger(lambda query: asked.append(query.query)):
        await feed(database, [log.add(NAME, assessed(KEY, education=True))])
        await asyncio.sleep(0)  # a query is told of a step later
    assert len(asked) == 5, asked  # the transaction's beginning and end, its lock, what is known, what is written


# -- gaps, forks, and what nobody can read -----------------------------------------------------------------------


async def parked(database: asyncpg.Connection) -> list[tuple[int, str]]:
    return [tuple(row) for row in await database.fetch("SELECT version, reason FROM parked ORDER BY 1, 2")]


async def incomplete(database: asyncpg.Connection) -> bool:
    flag: bool = await database.fetchval("SELECT incomplete FROM card WHERE key = $1", KEY)
    return flag


async def test_behind_a_gap_records_wait_and_are_folded_when_it_is_filled(database: asyncpg.Connection):
    log = Log()
    for event in registered(KEY), assessed(KEY, health=True), classified(KEY, HouseholdClass.WELFARE):
        log.add(NAME, event)
    one, two, three = log.records
    arrived = Log()
    await feed(database, [arrived.put(one), arrived.put(three)])
    assert (await parked(database), await incomplete(database)) == ([(3, "gap")], True)
    await feed(database, [arrived.put(two)])
    assert (await parked(database), await incomplete(database)) == ([], False)
    assert await database.fetchval("SELECT version FROM stream_head") == 3


async def test_a_fork_is_parked_and_never_folded(database: asyncpg.Connection):
    log = Log()
    one, two = log.add(NAME, registered(KEY)), log.add(NAME, assessed(KEY, health=True))
    other = sealed(NAME, 2, told(one)["ce_hash"], assessed(KEY, living=True), START)
    after = sealed(NAME, 3, told(other)["ce_hash"], assessed(KEY, welfare=True), START)
    await feed(database, [one, two])
    before = await database.fetch("SELECT * FROM coverage_ledger")
    (settled,) = await feed(database, [log.put(other), log.put(after)])
    assert settled.parked == {"fork": 1, "chain": 1}
    assert await parked(database) == [(2, "fork"), (3, "chain")]
    assert await database.fetch("SELECT * FROM coverage_ledger") == before
    assert tuple(await database.fetchrow("SELECT version, state, reason FROM stream_head")) == (2, "parked", "fork")
    assert await incomplete(database)


async def test_an_unreadable_record_stops_its_stream_and_nothing_else(database: asyncpg.Connection):
    log = Log()
    one, two = log.add(NAME, registered(KEY)), log.add(NAME, assessed(KEY, health=True))
    neighbour = next(household(n) for n in range(2, 999) if partition_of(household(n)) == one.partition)
    arrived = Log()
    records = [one, resealed(two, b"{"), sealed(f"household-{neighbour}", 1, GENESIS, registered(neighbour), START)]
    (settled,) = await feed(database, [arrived.put(record) for record in records])
    assert (settled.folded, settled.quarantined, settled.parked) == (2, 1, {"unreadable": 1})
    assert await incomplete(database)
    row = await database.fetchrow("SELECT reason, stream, version, value FROM quarantine")
    assert tuple(row) == ("data: json_invalid", NAME, 2, b"{")
    await feed(database, [arrived.put(two)])
    assert (await parked(database), await incomplete(database)) == ([], False)
    assert await database.fetchval("SELECT count(*) FROM quarantine") == 1


async def test_a_household_of_which_nothing_can_be_read_is_known_and_incomplete(database: asyncpg.Connection):
    log = Log()
    await feed(database, [log.put(resealed(Log().add(NAME, registered(KEY)), b"[]"))])
    assert await incomplete(database)
    assert await database.fetchval("SELECT state FROM card") == "{}"


async def test_garbage_is_quarantined_and_passed_over(database: asyncpg.Connection):
    good = Log().add(NAME, registered(KEY))
    log = Log()
    garbage = [replace(good, headers=[], value=b"\x00" * 100_000), replace(good, value=None), replace(good, key=None)]
    await feed(database, [log.put(record) for record in [*garbage, good]])
    rows = await database.fetch('SELECT "offset", size, length(value) AS kept FROM quarantine ORDER BY 1')
    whole = len(good.value or b"")
    assert [tuple(row) for row in rows] == [(0, 100_000, 65_536), (1, 0, 0), (2, whole, whole)]
    assert await database.fetchval("SELECT registry FROM checkpoint") == 4


# -- the checkpoint ----------------------------------------------------------------------------------------------


async def test_records_that_never_came_are_noticed(database: asyncpg.Connection):
    record = replace(Log().add(NAME, registered(KEY)), offset=1)
    with pytest.raises(LostRecords):
        await engine.settle(database, {record.partition: [slice_of([record], 1)]})
    assert await database.fetchval("SELECT count(*) FROM checkpoint") == 0


async def test_a_log_that_was_cut_and_filled_again_is_noticed_and_read_from_the_start(database: asyncpg.Connection):
    log = Log()
    one, two = log.add(NAME, registered(KEY)), log.add(NAME, assessed(KEY, health=True))
    await feed(database, [one, two])
    before = await state(database)
    filled = replace(sealed(NAME, 2, told(one)["ce_hash"], assessed(KEY, living=True), START), offset=1)
    with pytest.raises(LogRewritten):
        await engine.settle(database, {one.partition: [slice_of([filled], 1)]})
    with pytest.raises(LogRewritten):  # the consumer was sent back to where the log begins
        await engine.settle(database, {one.partition: [slice_of([one], 2)]})
    await checkpoints.rewind(database, one.topic, one.partition)
    assert await checkpoints.offsets(database) == {(topic.name, one.partition): 0 for topic in EVENT_TOPICS.values()}
    (settled,) = await feed(database, [one, two])
    assert (settled.folded, settled.repeated) == (0, 2)
    assert await state(database) == before


# -- the watermark -----------------------------------------------------------------------------------------------


async def settled(database: asyncpg.Connection) -> datetime | None:
    found: datetime | None = await database.fetchval("SELECT mark FROM watermark_settled")
    return found


async def hear(database: asyncpg.Connection, record: Any) -> None:
    await progress.keep(database, progress.newest({progress.PLACE: [record]}), "real")


def mark(second: int, offset: int, **ends: int) -> Any:
    told = {"service": "registry", "mark": timestamp(START + timedelta(seconds=second)), "clock": timestamp(START)}
    value = json.dumps({**told, "offsets": {name[1:]: end for name, end in ends.items()}}).encode()
    return SimpleNamespace(value=value, offset=offset)


async def test_a_mark_counts_once_its_offsets_are_passed(database: asyncpg.Connection):
    record = Log().add(NAME, registered(KEY))
    place = f"p{record.partition}"
    await hear(database, mark(1, 0, **{place: 1}))
    assert await settled(database) is None
    await hear(database, mark(2, 1, **{place: 2}))  # must not put the first one off
    await feed(database, [record])
    assert await settled(database) == START + timedelta(seconds=1)
    await hear(database, mark(3, 2, **{place: 9}))
    assert await settled(database) == START + timedelta(seconds=1)
    # The log has become shorter than the third said: that one would never settle.
    await hear(database, mark(4, 3, **{place: 1}))
    assert await settled(database) == START + timedelta(seconds=4)


async def test_what_was_final_stays_so_when_a_checkpoint_goes_back(database: asyncpg.Connection):
    """A broker lost its end: what was folded of it stays, though the mark's offsets are to be passed anew."""
    record = Log().add(NAME, registered(KEY))
    for second in (1, 2):
        await feed(database, [record])
        await hear(database, mark(second, second, **{f"p{record.partition}": 1}))
        assert await settled(database) == START + timedelta(seconds=second)
        if second == 1:
            await checkpoints.rewind(database, record.topic, record.partition)
        else:
            [now] = (await checkpoints.load(database)).values()
            back = replace(now, offsets=dict.fromkeys(now.offsets, 0), tails=dict.fromkeys(now.tails, ""))
            await checkpoints.step_back(database, {record.partition: back}, {record.partition})
        assert await settled(database) == START + timedelta(seconds=second)


async def test_a_mark_heard_before_changes_nothing_and_a_lower_one_counts(database: asyncpg.Connection):
    for second, offset in (4, 0), (5, 1), (4, 0), (4, 1):
        await hear(database, mark(second, offset, p0=0))
    assert await settled(database) == START + timedelta(seconds=5)
    await hear(database, mark(3, 2, p0=0))  # a clock was set back
    assert await settled(database) == START + timedelta(seconds=3)


async def test_checkpoints_step_back_but_never_forward(database: asyncpg.Connection):
    log = Log()
    one, two = log.add(NAME, registered(KEY)), log.add(NAME, assessed(KEY, health=True))
    await feed(database, [one])
    earlier = await checkpoints.load(database)
    await feed(database, [two])
    await checkpoints.step_back(database, earlier, {one.partition})
    assert await checkpoints.load(database) == earlier
    await checkpoints.rewind(database, one.topic, one.partition)
    await checkpoints.step_back(database, earlier, {one.partition})
    assert (await checkpoints.load(database))[one.partition].offsets["registry"] == 0
