"""Row 4: every table made anew from the log, beside the live engine and another projection runner."""

import asyncio
import resource
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import asyncpg
import psutil

from services.projections.rebuild import run as rebuilding
from services.projections.rebuild.refusal import Refused
from services.projections.rebuild.run import Outcome
from tests.benchmarks import costs, live
from tests.benchmarks.bench import TENTH, Bench
from tests.benchmarks.report import RATE, Row, Variant, Wanted
from tests.benchmarks.rows.projection import SIAO as LIVE
from tests.benchmarks.rows.projection import fold
from tests.support.rebuilding import setting

FOLDING, WHOLE, PYES = "Siao, rebuild: folding", "Siao, rebuild: compared and switched", "pyeventsourcing, one table"
PROCESSES = 2


async def run(bench: Bench) -> Row:
    row = Row(
        f"rebuild of {bench.events:,} events, every table",
        wanted=[
            Wanted(RATE, FOLDING, LIVE, at_least=2, aim=5),
            Wanted(RATE, FOLDING, PYES, at_least=3),
        ],
        notes=[f"Rebuild: {PROCESSES} processes; live: one worker."],
    )
    engine = row.variant(LIVE, "exact under any fault; one worker")
    folding = row.variant(FOLDING, "exact; live reads and writes go on")
    whole = row.variant(WHOLE, "the same with every row compared and the schemas switched")
    pyes = row.variant(PYES, "exact into its one table: a transaction an event; a tenth of the log")
    for _ in range(bench.rounds):
        await fold(bench, engine)
        await _rebuild(bench, folding, whole)
        await _pyes(bench, pyes)
    return row


async def _rebuild(bench: Bench, folding: Variant, whole: Variant) -> None:
    began, cpu, postgres = time.monotonic(), _cpu(), costs.cpu_seconds(bench.postgres)
    peak = Peak()
    try:
        async with peak.watched():
            outcome = await rebuilding.rebuild(setting(bench.servers, PROCESSES))
    except Refused as why:
        folding.failed = whole.failed = str(why)
        return
    spent = costs.Reading(time.monotonic() - began, _cpu() - cpu, costs.cpu_seconds(bench.postgres) - postgres)
    folding.note({RATE: outcome.rate, "peak MiB": peak.mib})
    whole.note(costs.figures(bench.events, spent))
    state = await _state(bench, outcome)
    folding.states.append(state)
    whole.states.append(state)


async def _state(bench: Bench, outcome: Outcome) -> object:
    if not outcome.equal or not outcome.switched:
        return "the rebuilt tables differ from the live ones"
    found = await live.counted(bench)
    return "as expected" if found == bench.counts[""] else found


def _cpu() -> float:
    """Of this process, and of its children that have ended: the folding ones, not the servers."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)


class Peak:
    """The most memory that one folding process had."""

    def __init__(self) -> None:
        self.mib = 0.0

    @asynccontextmanager
    async def watched(self) -> AsyncIterator[None]:
        task = asyncio.create_task(self._watch())
        try:
            yield
        finally:
            task.cancel()

    async def _watch(self) -> None:
        while True:
            for child in psutil.Process().children():
                with suppress(psutil.Error):
                    if "fold" in child.cmdline():
                        self.mib = max(self.mib, child.memory_info().rss / 2**20)
            await asyncio.sleep(0.1)


async def _pyes(bench: Bench, variant: Variant) -> None:
    await fresh_schema(bench)
    await bench.count(variant, "tests.benchmarks.peers.pyes", "project", prefix=TENTH, peer=True)


async def fresh_schema(bench: Bench) -> None:
    """For pyeventsourcing's tables."""
    connection = await asyncpg.connect(bench.servers.admin_dsn)
    try:
        await connection.execute("DROP SCHEMA IF EXISTS pyes CASCADE; CREATE SCHEMA pyes")
    finally:
        await connection.close()
