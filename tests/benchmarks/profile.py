"""Where a worker's CPU goes: py-spy's samples of the running process, by the part of the engine they stand in."""

import asyncio
import signal
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

from tests.benchmarks.bench import Bench

PARTS = {
    "services/projections/decode.py": "decode and check",
    "services/projections/reader.py": "decode and check",
    "services/projections/streams.py": "streams",
    "services/projections/parking.py": "streams",
    "services/projections/ledgers.py": "ledgers and rollups",
    "services/projections/fold.py": "fold",
    "services/projections/evolve.py": "fold",
    "services/projections/tables.py:add_facts": "write facts",
    "services/projections/tables.py:_fact_row": "write facts",
    "services/projections/tables.py:facts_of": "fold late facts again",
    "services/projections/tables.py:load_cards": "cards",
    "services/projections/tables.py:save_cards": "cards",
    "services/projections/tables.py": "checkpoint, freshness",
    "services/projections/engine.py": "engine",
    "services/projections/lanes.py": "Faust and lanes",
    "services/projections/worker.py": "Faust and lanes",
    "services/projections/watch.py": "watch",
}
"""Part of a frame's `file:function` -> part. Of a stack, the innermost frame that is named decides: what a library does
for a function of ours counts as that function's. More exact names come first."""
LIBRARIES = {
    "/aiokafka/": "Kafka client",
    "/asyncpg/": "PostgreSQL client",
    "/faust/": "Faust and lanes",
    "/mode/": "Faust and lanes",
}
"""Where nothing of ours is on the stack."""
REST = "event loop and the rest"
RATE = 200


async def record(bench: Bench, pid: int, into: Path) -> None:
    """Samples until the process ends; py-spy needs the right to look at it (the same user, or root)."""
    spy = bench.peers.with_name("py-spy")
    options = ["--format", "raw", "--rate", str(RATE), "--duration", "unlimited", "--nolineno", "--full-filenames"]
    process = await asyncio.create_subprocess_exec(
        spy,
        "record",
        *("--pid", str(pid), "--output", str(into)),
        *options,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        await process.wait()
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGINT)  # it then writes what it has
            await process.wait()


def parts(collapsed: str) -> Mapping[str, float]:
    """Part -> share, from lines `outer;inner;innermost count`; each frame reads `function (file)`."""
    found: Counter[str] = Counter()
    for line in collapsed.splitlines():
        stack, _, count = line.rpartition(" ")
        found[_part(stack.split(";"))] += int(count)
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
