"""Where a process's CPU goes: py-spy's samples of it, by the part of Siao that they stand in."""

import asyncio
import os
import signal
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.benchmarks.bench import ROOT, Bench

PARTS = {
    "services/projections/decode.py": "decode and check",
    "services/projections/reader.py": "decode and check",
    "services/projections/fetched.py": "decode and check",
    "services/projections/streams.py": "streams",
    "services/projections/parking.py": "streams",
    "services/projections/ledgers.py": "ledgers and rollups",
    "services/projections/fold.py": "fold",
    "services/projections/tables.py:add_facts": "write facts",
    "services/projections/tables.py:_fact_row": "write facts",
    "services/projections/tables.py:facts_of": "late facts again",
    "services/projections/tables.py:load_cards": "cards",
    "services/projections/tables.py:save_cards": "cards",
    "services/projections/tables.py": "checkpoint, freshness",
    "services/projections/engine.py": "engine",
    "services/projections/lanes.py": "Faust and lanes",
    "services/projections/scheduling.py": "Faust and lanes",
    "services/projections/worker.py": "Faust and lanes",
    "services/projections/watch.py": "watch",
    "services/registry/api.py": "sealing and look-ups",
    "services/registry/domain.py": "decide and evolve",
    "shared/eventstore/sealing.py": "sealing and look-ups",
    "shared/eventstore/store.py": "chain and append",
    "shared/eventstore/clock.py": "chain and append",
    "shared/eventstore/receipts.py": "receipts",
    "shared/commands/receipt.py": "receipts",
    "shared/commands/reading.py": "read and validate",
    "shared/commands/batch.py": "the batch's own work",
    "shared/commands/desk.py": "the batch's own work",
}
"""Part of a frame's `file:function` -> part. Of a stack, the innermost frame that is named decides: what a library, or
the domain, does for a function of ours counts as that function's. More exact names come first."""
LIBRARIES = {
    "/aiokafka/": "Kafka client",
    "/asyncpg/": "PostgreSQL client",
    "/faust/": "Faust and lanes",
    "/mode/": "Faust and lanes",
}
"""Where nothing of ours is on the stack."""
REST = "event loop and the rest"
WAITING = ("select (", "wait (", "_worker (", "Condition.wait (", "sleep (", "EpollSelector.select (")
"""Innermost frames in which a thread does nothing."""
RATE = "200"


async def record(bench: Bench, what: Sequence[str], into: Path, told: Mapping[str, str] | None = None) -> None:
    """Samples ("--pid", PID) until cancelled, or ("--", *COMMAND) until it ends. py-spy needs the right to look at
    it (root, or the process that started it)."""
    options = ["--format", "raw", "--rate", RATE, "--nolineno", "--full-filenames", "--output", str(into)]
    process = await asyncio.create_subprocess_exec(
        bench.peers.with_name("py-spy"),
        "record",
        *options,
        *what,
        cwd=ROOT,
        env=os.environ | (told or {}),
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        await process.wait()
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGINT)  # it then writes what it has
            await process.wait()


def parts(collapsed: str) -> dict[str, float]:
    """Part -> share, from lines `outer;inner;innermost count`; each frame reads `function (file)`."""
    found: Counter[str] = Counter()
    for line in collapsed.splitlines():
        stack, _, count = line.rpartition(" ")
        frames = stack.split(";")
        if not frames[-1].startswith(WAITING):
            found[_part(frames)] += int(count)
    total = found.total() or 1
    return {part: n / total for part, n in found.most_common()}


def _part(stack: list[str]) -> str:
    for names in (PARTS, LIBRARIES):
        for frame in reversed(stack):
            function, _, file = frame.rstrip(")").partition(" (")
            place = f"{file}:{function}"
            for name, part in names.items():
                if name in place:
                    return part
    return REST
