"""python -m tests.support.seeded --seeds N --first S: runs of seeds, one after the other; exit code 1 if any failed."""

import argparse
import asyncio
import shutil
import sys
import tempfile
from pathlib import Path

from rich.console import Console

from tests.support.seeded.plan import Plan
from tests.support.seeded.run import Result, run


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--seeds", type=int, required=True)
    parser.add_argument("--first", type=int, required=True)
    asked = parser.parse_args()
    console, failed = Console(highlight=False, soft_wrap=True), 0
    for seed in range(asked.first, asked.first + asked.seeds):
        done = seed - asked.first
        result = _run(seed, f"{done} of {asked.seeds} done, {failed} failed", console)
        console.print(str(result), markup=False)
        if result.broken:
            failed += 1
            console.print(f"  again: ./siao test faults --seeds 1 --first {seed}")
    console.print(f"{asked.seeds - failed} seeds passed, {failed} failed")
    return 1 if failed else 0


def _run(seed: int, progress: str, console: Console) -> Result:
    """The logs of a run that failed are kept."""
    plan, folder = Plan.of(seed), Path(tempfile.mkdtemp(prefix=f"siao-seed-{seed}-"))
    for line in plan.lines():
        console.print(line, markup=False)
    try:
        with console.status(progress) as status:
            result = asyncio.run(run(plan, folder, lambda doing: status.update(f"{progress}; seed {seed}: {doing}")))
        if result.broken:
            console.print(f"  logs: {_keep(folder)}")
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return result


def _keep(folder: Path) -> Path:
    kept = folder.with_name(f"{folder.name}-logs")
    shutil.copytree(folder / "logs", kept)
    return kept


if __name__ == "__main__":
    sys.exit(main())
