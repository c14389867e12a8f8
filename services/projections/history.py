"""The history of coverage: what a sum over the ledger up to a past moment comes to, without reading the ledger.

    ledger  ....................................................|........        | the watermark
    level 0 [  ][  ][  ][  ][  ][  ][  ][  ][  ][  ][  ]           each some hundred ledger rows, by recorded_at
    level 1 [              eight of them           ]               and so on upwards

A block holds, for each cell, the running sum over `valid_on` of what its facts changed, many days a row. So what was
known at one moment about one day is the sum, over the few blocks that end before the moment, of one row a cell, and of
the ledger rows behind the last block. Their number grows with the logarithm of the ledger; the rows behind are bounded.
Who asks for no cohort and no class reads the cells in which all of them are summed already.

Why it is exact: a block lies below the watermark, everything recorded there has arrived, and a refold rewrites only
ledger rows at or above the late fact's `recorded_at`. Should a relay's promise be broken all the same (a record that
was parked is released later), the engine forgets, in the transaction that writes below an edge, every block that
reaches beyond: they are made again. A block is claimed, and that committed, before it is filled; in between, every
transaction of the engine that began before is waited for. So each of them sees the claim, or is seen by who fills.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import datetime

import asyncpg

from services.projections.patience import Patient
from services.projections.sql import Part, read
from shared.runtime.failpoint import failpoint

LEAF_ROWS = 512
"""Ledger rows of a block of level 0: what an answer reads of the ledger at most, besides those above the watermark."""
FAN = 8
"""Blocks of one level that make one of the next: at most FAN - 1 of each are read, and a step is kept once a level."""

DAYS = 64
"""In a row, at most: it stays below 2,000 bytes, from where on PostgreSQL would store it apart."""
CELLS = 64
"""Merged in one transaction."""
PAUSE_SECONDS = 5.0

QUERIES = read("history.sql")


async def keep_up(database: Patient) -> None:
    """Compacts for ever."""
    while True:
        while await database.run(compact):
            pass
        await asyncio.sleep(PAUSE_SECONDS)


async def compact(connection: asyncpg.Connection, leaf_rows: int = LEAF_ROWS) -> bool:
    """A new block, or one of several. False when there is nothing to do, or another process does it."""
    async with _alone(connection) as alone:
        claimed = await _claimed(connection, leaf_rows) if alone else None
    if claimed is None:
        return False
    failpoint("history.claimed")
    block, claim, level = claimed
    if level:
        return await _merge(connection, block, claim)
    await _folding_over(connection)
    return await _fill(connection, block, claim)


def reaches(least: datetime | None) -> Part:
    """Whether a block reaches beyond `least`. To be asked while the checkpoint is held; of None, none does."""
    return Part(QUERIES["reaches"], [least])


async def forget(connection: asyncpg.Connection, least: datetime) -> None:
    """Inside the engine's transaction, where one `reaches` beyond `least`, from when on facts were folded."""
    await connection.execute(QUERIES["wait"])
    await connection.execute(QUERIES["forget"], least)
    await connection.execute(QUERIES["unmerge"])


@asynccontextmanager
async def _alone(connection: asyncpg.Connection) -> AsyncIterator[bool]:
    """A transaction in which nobody else makes or forgets blocks, and no rebuild puts other tables in their place."""
    async with connection.transaction():
        await connection.execute(QUERIES["stay"])
        await connection.execute(QUERIES["by_hash"])
        yield bool(await connection.fetchval(QUERIES["lock"]))


async def _claimed(connection: asyncpg.Connection, leaf_rows: int) -> asyncpg.Record | None:
    """id, claim and level of the block to make: one that was begun, several that are one, or a new one."""
    begun = await connection.fetchrow(QUERIES["claimed"])
    if begun:
        return begun
    edges = await connection.fetchrow(QUERIES["ripe"], FAN)
    edges = edges or (0, *await connection.fetchrow(QUERIES["next_block"], leaf_rows))
    return None if edges[-1] is None else await connection.fetchrow(QUERIES["claim"], *edges)


async def _folding_over(connection: asyncpg.Connection) -> None:
    """Each row by itself, so that nobody is held up meanwhile; those that nobody holds at once, again and again, for
    one transaction holds many."""
    left = {partition for (partition,) in await connection.fetch(QUERIES["partitions"])}
    while left:
        left -= {partition for (partition,) in await connection.fetch(QUERIES["pass_free"], [*left])}
        for partition in sorted(left)[:1]:
            with suppress(asyncpg.LockNotAvailableError):
                await connection.execute(QUERIES["pass"], partition)
                left.remove(partition)


async def _fill(connection: asyncpg.Connection, block: int, claim: object) -> bool:
    """Nothing where it was filled or forgotten meanwhile, or other tables have come in place of these."""
    async with _alone(connection) as alone:
        edges = await connection.fetchrow(QUERIES["redeem"], block, claim) if alone else None
        if edges:
            await connection.execute(QUERIES["add_cells"], *edges)
            await connection.execute(QUERIES["fill"], block, *edges, DAYS)
        failpoint("history.before_commit")
    return alone


async def _merge(connection: asyncpg.Connection, block: int, claim: object) -> bool:
    """In short transactions, some cells each. Others may do some of them; what was begun is gone on with."""
    cell = 0
    while True:
        async with _alone(connection) as alone:
            parts = await connection.fetchrow(QUERIES["parts"], block, claim) if alone else None
            if parts is None:
                return alone
            done = max(cell, parts["done"])
            cell = await connection.fetchval(QUERIES["some_cells"], done, CELLS)
            if cell is None:
                await connection.execute(QUERIES["redeem"], block, claim)
                await connection.execute(QUERIES["mark_merged"], parts["blocks"])
                return True
            await connection.execute(QUERIES["merge"], block, parts["blocks"], done, cell, DAYS)
            failpoint("history.before_commit")
