"""A session that holds a partition for too long is ended, by the time that the one who waits has seen go by."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg
import pytest

from services.projections import checkpoints, engine
from services.projections.frozen import FROZEN_SECONDS, Holders
from services.projections.tables import lock_checkpoints, lock_free_checkpoints
from tests.support.projections import crowd, slices, tables
from tests.support.servers import Servers


@asynccontextmanager
async def beside(servers: Servers, database: asyncpg.Connection) -> AsyncIterator[asyncpg.Connection]:
    schema = await database.fetchval("SELECT current_schema()")
    connection = await asyncpg.connect(servers.admin_dsn, server_settings={"search_path": schema})
    try:
        yield connection
    finally:
        connection.terminate()


async def test_the_age_of_a_transaction_is_what_the_waiter_saw_by_its_own_clock(servers: Servers):
    async with tables(servers.admin_dsn) as database, beside(servers, database) as frozen:
        holders, ended = Holders(), asyncio.Event()
        frozen.add_termination_listener(lambda _: ended.set())
        async with frozen.transaction():
            await lock_checkpoints(frozen, [3])
        await holders.end_frozen(database, 3, now=0.0)  # nobody holds it
        async with frozen.transaction():
            await lock_checkpoints(frozen, [3])
            await holders.end_frozen(database, 3, now=1.0)
            await holders.end_frozen(database, 3, now=FROZEN_SECONDS)
        begun = frozen.transaction()  # another one: that worker is alive
        await begun.start()
        await lock_checkpoints(frozen, [3])
        await holders.end_frozen(database, 3, now=FROZEN_SECONDS + 1)
        assert await frozen.fetchval("SELECT 1") == 1
        await holders.end_frozen(database, 3, now=2 * FROZEN_SECONDS + 1)
        async with asyncio.timeout(30):
            await ended.wait()
        assert (await lock_checkpoints(database, [3])).keys() == {3}


async def test_who_may_not_leave_a_locked_partition_out_waits_for_it(servers: Servers):
    """A rebuild, which takes what it read only once."""
    async with tables(servers.admin_dsn) as database, beside(servers, database) as other:
        every = slices(crowd(40, seed=2).records)
        number, *rest = sorted(every)
        await checkpoints.begin(database, every)
        async with other.transaction():
            await lock_checkpoints(other, [number])
            await database.execute("SET lock_timeout = '50ms'")
            with pytest.raises(asyncpg.LockNotAvailableError):
                await engine.settle(database, every)
            assert (await engine.settle(database, every, lock_free_checkpoints)).locked == {number}
        assert rest
        assert (await engine.settle(database, every)).folded == sum(len(piece.records) for piece in every[number])
