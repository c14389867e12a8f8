"""One run of a seed: servers of its own, everything at once, then rest, then every promise."""

import asyncio
import random
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import asyncpg

from shared.events.catalog import SERVICES
from shared.events.topics import FOLLOWERS
from tests.support import checker, moved_clock, rebuilding
from tests.support.seeded.chaos import Chaos
from tests.support.seeded.load import Agency, Told
from tests.support.seeded.plan import SECONDS, Plan
from tests.support.seeded.programme import programme
from tests.support.seeded.promises import Ran, Report, report
from tests.support.seeded.watch import Watch
from tests.support.servers import Servers, running
from tests.support.stack import Stack

SETTLE_SECONDS = 120
"""After the last fault: until every command has its receipt, and again until it is folded everywhere."""
SETTLES = "everything comes right by itself once the faults are over"

Say = Callable[[str], None]


@dataclass(frozen=True)
class Result:
    seed: int
    report: Report
    commands: int
    events: Mapping[str, int]
    """Type -> how many are stored."""
    deaths: int
    looks: int
    finals: int
    """Questions about the past that had a final answer."""
    seconds: float

    @property
    def broken(self) -> Report:
        return {promise: why for promise, why in self.report.items() if why}

    def __str__(self) -> str:
        counts = (
            f"{self.commands} commands, {sum(self.events.values())} events, {self.deaths} deaths, {self.looks} looks"
        )
        counts += f", {self.finals} final answers"
        broken = "".join(f"\n    ✗ {promise}\n      {why}" for promise, why in self.broken.items())
        return f"seed {self.seed} {'✗' if self.broken else '✓'} {counts}, {self.seconds:.0f} s{broken}"


async def run(plan: Plan, folder: Path, say: Say = lambda _: None) -> Result:
    """`folder`: for the servers' data and every log. `say` hears what is being done."""
    begun, told = time.monotonic(), Told()
    say("starting")
    async with running(folder) as servers:
        for service in SERVICES:
            await moved_clock.prepare(servers.admin_dsn, service)
        stack = Stack(servers, plan.workers, plan.second_relays, plan.points)
        watch, chaos = Watch(servers, stack, plan.seed), Chaos(servers, stack, plan)
        async with stack.running():
            watching = asyncio.create_task(watch.run())
            try:
                say("breaking")
                settled = await _break(plan, stack, chaos, told)
                say("settling")
                settled = settled or await _settle(servers)
            finally:
                watching.cancel()
            say("checking")
            kept = await report(Ran(servers, told, watch, chaos, plan.lossy))
            events = Counter(event.type for event in await checker.stored_events(servers))
        deaths = stack.deaths.total()
    seconds = time.monotonic() - begun
    seen = len(watch.looks), len(watch.finals)
    return Result(plan.seed, {SETTLES: settled, **kept}, len(told.receipts), events, deaths, *seen, seconds)


async def _break(plan: Plan, stack: Stack, chaos: Chaos, told: Told) -> str:
    draw = random.Random(f"load {plan.seed}")
    wishes = programme(draw, plan.households)
    agencies = [
        Agency(stack, service, told, random.Random(f"{service} {plan.seed}"), SECONDS).publish(phases)
        for service, phases in wishes.items()
    ]
    publishing = asyncio.gather(*agencies)
    try:
        await chaos.run()
        stack.no_more_faults()
        async with asyncio.timeout(SETTLE_SECONDS):
            await publishing
    except (TimeoutError, AssertionError) as error:
        return f"publishing: {error!r}"
    finally:
        publishing.cancel()
    return ""


async def _settle(servers: Servers) -> str:
    """Until nothing waits anywhere; else what still does."""
    until, waiting = time.monotonic() + SETTLE_SECONDS, "PostgreSQL"
    while waiting and time.monotonic() < until:
        await asyncio.sleep(0.3)
        waiting = await _waiting(servers)
    if waiting:
        return f"{waiting} still wait"
    try:
        await rebuilding.until_folded(servers, max(1.0, until - time.monotonic()))
    except TimeoutError:
        return "the projections do not reach the end of the log"
    return ""


async def _waiting(servers: Servers) -> str:
    connection = await asyncpg.connect(servers.admin_dsn)
    try:
        for service in SERVICES:
            if count := await connection.fetchval(f"SELECT count(*) FROM {service}.outbox"):
                return f"{count} events in the outbox of {service}"
        for service in FOLLOWERS:
            if count := await connection.fetchval(
                f"""SELECT count(*) FROM registry.head AS h LEFT JOIN {service}.known_household AS k
                    ON h.stream = 'household-' || k.household WHERE coalesce(k.version, 0) < h.version"""
            ):
                return f"{count} households that {service} does not know"
        if count := await connection.fetchval(
            """SELECT count(*) FROM interventions.event AS e LEFT JOIN pairing.exit_seen AS s ON s.event = e.id
               WHERE type = 'CaseExited.v1' AND s.event IS NULL"""
        ):
            return f"{count} exits that pairing has not answered"
        missing = await connection.fetchval(
            f"""SELECT count(*) FROM ({" UNION ALL ".join(f"SELECT stream, version FROM {s}.head" for s in SERVICES)})
                AS h LEFT JOIN projections.stream_head AS p USING (stream) WHERE coalesce(p.version, 0) < h.version"""
        )
        return f"{missing} streams of which the projections have not all" if missing else ""
    finally:
        await connection.close()


async def run_seed(seed: int) -> Result:
    """In a folder that is gone afterwards, and that no other run of pytest closes to PostgreSQL's user."""
    with tempfile.TemporaryDirectory(prefix="siao-seed-", ignore_cleanup_errors=True) as folder:
        return await run(Plan.of(seed), Path(folder))
