"""Row 8: the province as of two dates, from the history and by a plain sum of the ledger, for three lengths of it."""

import asyncio

from tests.benchmarks import as_of
from tests.benchmarks.bench import Bench
from tests.benchmarks.report import Row, Wanted

HISTORY, FOLD = "from the history", "a plain sum"
P50, P99, CPU, ROWS = "p50 ms", "p99 ms", "CPU ms", "rows read"


async def run(bench: Bench) -> Row:
    found = await asyncio.to_thread(as_of.run, bench.rounds)
    row = Row("the province as of two dates: valid on one day, known at another")
    for size, told in found["sizes"].items():
        ours = row.variant(name(HISTORY, size), "the same figures: answers are compared with the plain sum")
        ours.note({P50: told["median_ms"], P99: told["p99_ms"], CPU: told["cpu_ms"], ROWS: told["rows_read"]})
        row.variant(name(FOLD, size), "").note({P50: told["fold_ms"]})
        row.wanted.append(Wanted(P99, name(HISTORY, size), at_most=10, aim=5))
    first, *_, last = found["sizes"]
    for figure in P50, CPU, ROWS:
        row.wanted.append(Wanted(figure, name(HISTORY, last), name(HISTORY, first), at_most=1.5))
    row.wanted.append(Wanted(P50, name(FOLD, last), name(HISTORY, last)))
    return row


def name(how: str, size: int) -> str:
    return f"{how}, {size:,} changes"
