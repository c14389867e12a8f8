"""Row 10: more workers, the same cost an event, and nobody waits for another's lock."""

import asyncio
from collections import Counter
from collections.abc import Sequence

import asyncpg

from tests.benchmarks import costs, live
from tests.benchmarks.bench import Bench, Broke
from tests.benchmarks.report import Row, Variant, Wanted

WORKERS = (1, 2, 4)
COST, WAITS, HANDED = "µs CPU in all an event", "lock waits seen", "waits at hand-over"
WAITING = """
SELECT count(*) FILTER (WHERE NOT handed), count(*) FILTER (WHERE handed)
FROM (SELECT query LIKE '%FROM checkpoint WHERE partition = $1 FOR UPDATE%' AS handed FROM pg_stat_activity
      WHERE usename = 'siao_projections' AND datname = current_database()
        AND wait_event_type = 'Lock' AND wait_event <> 'extend') AS waiting"""
"""Without those that make a table's file longer, for which PostgreSQL has a lock of its own. Who waits for a
checkpoint's row has been given the partition of a worker whose last transaction still runs."""
BETWEEN_LOOKS = 0.02


async def run(bench: Bench) -> Row:
    names = {number: f"{number} worker{'s' * (number > 1)}" for number in WORKERS}
    row = Row("the same log folded by 1, 2 and 4 workers")
    for number, name in names.items():
        row.wanted.append(Wanted(WAITS, name, at_most=0))
        if number > 1:
            row.wanted.append(Wanted(COST, name, names[1], at_most=1.15))
    for _ in range(max(1, bench.rounds - 1)):
        for number, name in names.items():
            await _fold(bench, row.variant(name, "exact under any fault"), number)
    return row


async def _fold(bench: Bench, variant: Variant, workers: int) -> None:
    seen = Counter[str]()

    async def beside(_: Sequence[int]) -> None:
        connection = await asyncpg.connect(bench.servers.admin_dsn)
        try:
            while True:
                waits, handed = await connection.fetchrow(WAITING)
                seen.update({WAITS: waits, HANDED: handed})
                await asyncio.sleep(BETWEEN_LOOKS)
        finally:
            await connection.close()

    try:
        folded = await live.fold(bench, workers, beside)
        figures = costs.figures(folded.events, folded.spent)
        spent = folded.spent.cpu + folded.spent.postgres
        variant.note(figures | {COST: spent / folded.events * 1e6, WAITS: seen[WAITS], HANDED: seen[HANDED]})
        found = await live.counted(bench)
        variant.states.append("as expected" if found == bench.counts[""] else found)
    except Broke as why:
        variant.failed = str(why)
