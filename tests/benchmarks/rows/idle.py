"""Row 9: what a stack costs that has nothing to do."""

import asyncio

from tests.benchmarks import costs
from tests.benchmarks.bench import Bench
from tests.benchmarks.report import Row, Wanted
from tests.support.stack import Stack

SETTLE, SECONDS = 15, 60
SHARE, GROWTH = "% of a core", "MiB more"
FLAT = 1.0
"""MiB in a minute."""


async def run(bench: Bench) -> Row:
    row = Row(f"idle for {SECONDS} s, every process of the stack")
    stack = Stack(bench.servers)
    async with stack.running():
        pids = {name: process.pid or 0 for name, process in stack.processes.items()}
        pids |= {"PostgreSQL": bench.postgres}
        await asyncio.sleep(SETTLE)
        before = {name: (costs.cpu_seconds(pid), costs.rss_mib(pid)) for name, pid in pids.items()}
        await asyncio.sleep(SECONDS)
        for name, pid in pids.items():
            cpu, rss = before[name]
            figures = {SHARE: (costs.cpu_seconds(pid) - cpu) / SECONDS * 100, "MiB": costs.rss_mib(pid)}
            row.variant(name, "").note(figures | {GROWTH: costs.rss_mib(pid) - rss})
    for name in stack.processes:
        row.wanted += [Wanted(SHARE, name, at_most=1.0), Wanted(GROWTH, name, at_most=FLAT)]
    return row
