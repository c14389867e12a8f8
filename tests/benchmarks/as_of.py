"""The province as of two dates (valid on one, known at the other), from the history and from the ledger itself.

`run(rounds)` makes ledgers of growing length, compacts each as the worker does, and asks at random points of the whole
of it. Every answer is compared with a plain sum of the ledger, which is also the peer: that is what is measured beside.
"""

import asyncio
import json
import os
import random
import statistics
import sys
import tempfile
import time
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import asyncpg

from deploy.local import credentials
from deploy.local.home import Home, make
from deploy.local.provision import provision_postgres
from services.gateway.models import AsOf
from services.gateway.queries import coverage, sql
from services.projections import history
from shared.thai import BANGKOK
from tests.support.projections import tables
from tests.support.servers import Servers

SIZES = (100_000, 400_000, 1_600_000)
"""Changes in the ledger, of which a row holds five. A history that is four times as long lasts four times as long, so
its days are four times as many."""
CHANGES_A_DAY = 274
"""A hundred thousand in a year."""
START = datetime(2000, 1, 1, tzinfo=BANGKOK)
QUESTIONS, FOLDS, PLANS = 200, 10, 30
"""Answers timed a round; how many of them are compared with the plain sum; of how many the plan is looked at."""
GROWING = ("median_ms", "p99_ms", "cpu_ms", "fold_ms", "rows_read")
Point = tuple[date, datetime]

LEDGER = """
-- Changes $1 to $2 of a made-up ledger, five a row: 26 districts of 3 subdistricts of 8 villages, both definitions, up
-- to two months late. $3 the first moment, $4 changes a day.
INSERT INTO coverage_ledger
SELECT 'hh_' || n % 50000, $3::timestamptz + make_interval(secs => n * 86400.0 / $4), 's', n, gen_random_uuid(), 0,
       ($3::timestamptz + make_interval(secs => n * 86400.0 / $4))::date - (random() * 60)::int,
       '40' || lpad((1 + (random() * 25)::int)::text, 2, '0') || '0' || 1 + (random() * 2)::int
            || '0' || 1 + (random() * 7)::int,
       (ARRAY['bmn-2561', ''])[1 + (random() * 1.3)::int],
       (ARRAY['', 'developable', 'welfare'])[1 + (random() * 2)::int],
       ARRAY(SELECT (1 + (random() * 49)::int) * CASE WHEN random() < 0.8 THEN 1 ELSE -1 END
             FROM generate_series(1, 5) WHERE n > 0 OR true)
FROM generate_series($1::bigint, $2::bigint - 1, 5) AS n
"""
FOLD = """
-- The same by a plain sum of the ledger. $1 valid on, $2 known at.
SELECT left(village, 2) AS place, dimension,
       coalesce(sum(delta) FILTER (WHERE measure = 'need'), 0)::bigint AS need,
       coalesce(sum(delta) FILTER (WHERE measure = 'reached'), 0)::bigint AS reached,
       coalesce(sum(delta) FILTER (WHERE measure = 'resolved'), 0)::bigint AS resolved,
       coalesce(sum(delta) FILTER (WHERE measure = 'unreached'), 0)::bigint AS unreached,
       coalesce(sum(delta) FILTER (WHERE measure = 'outside_need'), 0)::bigint AS outside_need
FROM coverage_changes WHERE definition = 'coverage-1' AND valid_on <= $1 AND recorded_at <= $2
GROUP BY 1, 2
HAVING sum(delta) FILTER (WHERE measure = 'need') > 0 OR sum(delta) FILTER (WHERE measure = 'outside_need') > 0
ORDER BY 1, 2
"""


def run(rounds: int = 3, sizes: tuple[int, ...] = SIZES) -> dict[str, Any]:
    """By number of changes: milliseconds an answer (median, p99, PostgreSQL's CPU, median of the plain sum), rows read;
    and what growth it comes to from the shortest to the longest. Starts a PostgreSQL of its own.

    Raises AssertionError where an answer is not the plain sum.
    """
    return asyncio.run(_with_postgres(rounds, sizes))


async def _with_postgres(rounds: int, sizes: tuple[int, ...]) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder:
        home = Home(Path(folder))
        make(home)
        credentials.make(home.secrets, holds_data=False)
        servers = Servers(home)
        await servers.start_postgres()
        try:
            await provision_postgres(servers.cluster.dsn(), home.secrets, ours=True)
            async with tables(servers.admin_dsn) as connection:
                await connection.execute("SELECT setseed(0.5)")
                return await measure(connection, rounds, sizes)
        finally:
            await servers.stop_postgres()


async def measure(connection: asyncpg.Connection, rounds: int, sizes: tuple[int, ...]) -> dict[str, Any]:
    """`connection` sees fresh tables of the projections."""
    found, done = {}, 0
    for size in sizes:
        await connection.execute(LEDGER, done, size, START, CHANGES_A_DAY)
        done = size
        found[size] = await _compacted(connection, size) | await _asked(connection, size, rounds)
    first, last = found[sizes[0]], found[sizes[-1]]
    growth = {name: round(last[name] / first[name], 2) for name in GROWING}
    return {"sizes": found, "growth": growth, "times": sizes[-1] / sizes[0]}


async def _compacted(connection: asyncpg.Connection, size: int) -> dict[str, Any]:
    for service in ("registry", "pairing", "interventions"):
        await connection.execute(
            """INSERT INTO watermark (service, mark, offsets, clock) VALUES ($1, $2, '{}', 'real')
               ON CONFLICT (service) DO UPDATE SET mark = excluded.mark""",
            service,
            _recorded(size),
        )
    steps = [0.0]
    began = time.perf_counter()
    while await history.compact(connection):
        steps.append(time.perf_counter() - began - sum(steps))
    await connection.execute("VACUUM ANALYZE")
    return {"compacted_s": round(sum(steps), 1), "longest_step_s": round(max(steps), 2)}


def _recorded(change: float) -> datetime:
    return START + timedelta(days=change / CHANGES_A_DAY)


async def _asked(connection: asyncpg.Connection, size: int, rounds: int) -> dict[str, Any]:
    draw = random.Random(size)
    seconds: list[float] = []
    folds: list[float] = []
    cpu, backend = 0.0, await connection.fetchval("SELECT pg_backend_pid()")
    points = [_point(draw, size) for _ in range(QUESTIONS)]
    for _ in range(rounds):
        before = _cpu_seconds(backend)
        answers = [await _timed(connection, point) for point in points]
        cpu += _cpu_seconds(backend) - before
        seconds += [taken for taken, _ in answers]
        for (_, told), point in zip(answers[:FOLDS], points, strict=False):
            began = time.perf_counter()
            plain = await connection.fetch(FOLD, *point)
            folds.append(time.perf_counter() - began)
            assert told == [dict(row) for row in plain]
    plans = [await _plan(connection, point) for point in points[:PLANS]]
    return {
        "median_ms": round(1000 * statistics.median(seconds), 2),
        "p99_ms": round(1000 * statistics.quantiles(seconds, n=100)[98], 2),
        "fold_ms": round(1000 * statistics.median(folds), 1),
        "cpu_ms": round(1000 * cpu / len(seconds), 2),
        "rows_read": round(statistics.mean(plan["rows"] for plan in plans)),
        "scans_a_ledger": any(plan["scans"] for plan in plans),
        "blocks": await connection.fetchval("SELECT count(*) FROM coverage_block"),
        "history_rows": await connection.fetchval("SELECT count(*) FROM coverage_history"),
    }


def _point(draw: random.Random, size: int) -> Point:
    """Known at a moment of the history, and valid on a day of what lay before it."""
    known_at = _recorded(draw.uniform(0.1, 1) * size)
    return (START + draw.random() * (known_at - START)).date(), known_at


def _cpu_seconds(pid: int) -> float:
    """Of one process (proc(5): utime and stime, the 14th and 15th)."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return sum(map(int, fields[11:13])) / os.sysconf("SC_CLK_TCK")


async def _timed(connection: asyncpg.Connection, point: Point) -> tuple[float, list[dict[str, Any]]]:
    """As the gateway asks."""
    began = time.perf_counter()
    rows = await coverage.rows(connection, coverage.Question(), AsOf(valid_on=point[0], known_at=point[1]))
    return time.perf_counter() - began, [dict(row) for row in rows]


async def _plan(connection: asyncpg.Connection, point: Point) -> dict[str, Any]:
    """How many rows PostgreSQL reads for an answer, and whether it reads a whole ledger."""
    asked = ("coverage-1", 2, "40", None, None, None, *point)
    text = await connection.fetchval("EXPLAIN (ANALYZE, FORMAT JSON) " + sql("coverage_as_of"), *asked)
    nodes, plans = [], [json.loads(text)[0]["Plan"]]
    while plans:
        nodes.append(plans.pop())
        plans += nodes[-1].get("Plans", [])
    read = [n for n in nodes if "Relation Name" in n]
    return {
        "rows": round(sum(n["Actual Loops"] * (n["Actual Rows"] + n.get("Rows Removed by Filter", 0)) for n in read)),
        "scans": any(n["Node Type"] == "Seq Scan" and n["Relation Name"].endswith("_ledger") for n in read),
    }


if __name__ == "__main__":
    chosen = tuple(int(size) for size in sys.argv[2:]) or SIZES
    print(json.dumps(run(int(sys.argv[1]) if sys.argv[1:] else 3, chosen), indent=1))
