"""The whole engine folding the log: workers started on empty tables, watched by their checkpoints."""

import asyncio
import secrets
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import asyncpg

from tests.benchmarks import costs
from tests.benchmarks.bench import SECONDS, Bench, Broke
from tests.benchmarks.peers.job import Cell, cell
from tests.support.processes import Process
from tests.support.projections import assert_rolled_up
from tests.support.servers import free_port

BETWEEN_LOOKS = 0.02
PROGRESS = "SELECT coalesce(sum(registry + pairing + interventions), 0) FROM projections.checkpoint"
SIZE = """
SELECT sum(pg_total_relation_size(oid)) FROM pg_class
WHERE relnamespace = 'projections'::regnamespace AND relkind = 'r'"""
KEPT = ("migration", "made_by")
"""What is no projection."""

Watching = Callable[[Sequence[int]], Coroutine[None, None, None]]


class Worker(Process):
    """A worker in the benchmark's group, which begins when `go` is there."""

    def __init__(self, bench: Bench, group: str, go: Path) -> None:
        settings, log = bench.servers.settings("projections", http_port=free_port()), bench.servers.home.log("live")
        super().__init__("projections", "", settings, log, BENCH_GROUP=group, BENCH_GO=str(go))
        self.command[2] = "tests.benchmarks.workers.live"

    def last_words(self) -> str:
        lines = self._log.read_text(errors="replace").strip().splitlines()
        return lines[-1][-300:] if lines else ""


@dataclass(frozen=True)
class Folded:
    events: int
    """In the time that was measured: all but those of the first transactions."""
    spent: costs.Reading
    peak_mib: float


async def empty(connection: asyncpg.Connection) -> None:
    names = await connection.fetch("SELECT tablename FROM pg_tables WHERE schemaname = 'projections'")
    tables = ", ".join(f"projections.{row[0]}" for row in names if row[0] not in KEPT)
    await connection.execute(f"TRUNCATE {tables}")


async def fold(bench: Bench, workers: int = 1, beside: Watching | None = None) -> Folded:
    """Folds the whole log anew. `beside` runs meanwhile, with the workers' process ids. Raises Broke."""
    group = f"projections-bench-{secrets.token_hex(4)}"
    with tempfile.TemporaryDirectory() as folder:
        go = Path(folder, "go")
        processes = [Worker(bench, group, go) for _ in range(workers)]
        try:
            async with connected(bench) as connection:
                await empty(connection)
                return await _watched(bench, connection, processes, go, beside)
        finally:
            for process in processes:
                await process.end()


async def _watched(
    bench: Bench, connection: asyncpg.Connection, processes: Sequence[Worker], go: Path, beside: Watching | None
) -> Folded:
    """From the first transaction that commits to the last."""
    looks = _looks(processes)
    for process in processes:
        process.spawn()
    pids = [process.pid or 0 for process in processes]
    while not all(go.with_name(str(pid)).exists() for pid in pids):
        await anext(looks)
    task = asyncio.create_task(beside(pids)) if beside else None
    try:
        await asyncio.to_thread(go.touch)
        while not (first := int(await connection.fetchval(PROGRESS))):
            await anext(looks)
        began, peak = costs.read(pids, bench.postgres), 0.0
        while int(await connection.fetchval(PROGRESS)) < bench.events:
            peak = max(peak, *map(costs.rss_mib, pids))
            await anext(looks)
        return Folded(bench.events - first, costs.read(pids, bench.postgres) - began, peak)
    finally:
        if task:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


async def _looks(processes: Sequence[Worker]) -> AsyncIterator[None]:
    """One item every now and then. Raises Broke when a worker ended, or it takes too long."""
    deadline = time.monotonic() + SECONDS
    while True:
        if any(process.exit_code is not None for process in processes):
            raise Broke(f"a worker ended: {processes[0].last_words()}")
        if time.monotonic() > deadline:
            raise Broke(f"not done after {SECONDS} s")
        await asyncio.sleep(BETWEEN_LOOKS)
        yield


async def stored(bench: Bench) -> dict[str, float]:
    """Room on disk an event: the projections' tables with their indexes, and the log."""
    async with connected(bench) as connection:
        tables = int(await connection.fetchval(SIZE))
    topics = (bench.servers.home.root / "kafka" / "data").glob("siao.*/*.log")
    logged = sum(file.stat().st_size for file in topics)
    return {
        "KiB in tables an event": tables / bench.events / 1024,
        "KiB on Kafka an event": logged / bench.events / 1024,
    }


async def counted(bench: Bench) -> dict[Cell, int]:
    """What the facts in the tables come to when they are counted. Raises AssertionError for a rollup that is not the
    sum of its ledger."""
    async with connected(bench) as connection:
        await connection.execute("SET search_path = projections")
        rows = await connection.fetch("SELECT partition, type, value FROM fact")
        await assert_rolled_up(connection)
    return dict(Counter(cell(partition, [("ce_type", kind.encode())], value) for partition, kind, value in rows))


@asynccontextmanager
async def connected(bench: Bench) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(bench.servers.admin_dsn)
    try:
        yield connection
    finally:
        await connection.close()
