"""`python -m tests.benchmarks [ROW …]`, which `./siao bench` becomes."""

import asyncio
import json
import tempfile
import time
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from tests.benchmarks import machine, table
from tests.benchmarks.bench import Bench
from tests.benchmarks.report import Row
from tests.support.servers import running

ROWS = {
    "transport": "log",
    "projection": "log",
    "consume": "log",
    "rebuild": "log",
    "scaling": "log",
    "append": "own",
    "relay": "own",
    "latency": "own",
    "idle": "own",
    "as-of": "own",
}
"""In the order in which they run. Those on the log share one pair of servers, the others have one of their own each."""
QUICK = ("consume", "append")
FULL = 1_000_000


def main(  # noqa: PLR0917 they are a command's options
    rows: Annotated[list[str] | None, typer.Argument(help=f"Some of: {', '.join(ROWS)}; all when left out.")] = None,
    rounds: Annotated[int, typer.Option(min=1, help="Of each variant, in turn with the others of its row.")] = 3,
    events: Annotated[int, typer.Option(min=10_000, help="In the log.")] = 100_000,
    full: Annotated[bool, typer.Option("--full", help="A million events.")] = False,
    quick: Annotated[bool, typer.Option("--quick", help="One round of the two cheapest rows.")] = False,
    to: Annotated[Path | None, typer.Option("--json", help="Write everything measured to this file too.")] = None,
) -> None:
    """Measure Siao beside its peers on a real PostgreSQL and a real Kafka, with the end state of each compared."""
    chosen = rows or list(QUICK if quick else ROWS)
    if unknown := [name for name in chosen if name not in ROWS]:
        raise typer.BadParameter(f"{', '.join(unknown)}: no row of that name; there are {', '.join(ROWS)}")
    console = Console(highlight=False, width=None if Console().is_terminal else 190)
    counts = (1, 20_000) if quick else (rounds, FULL if full else events)
    document: dict[str, Any] = {}

    def keep(found: dict[str, Any]) -> None:
        document.update(found)
        if to:
            to.write_text(json.dumps(document, ensure_ascii=False, indent=1) + "\n")

    asyncio.run(measure(console, chosen, *counts, keep))
    failed = [name for name, row in document["rows"].items() for one in row["variants"].values() if "failed" in one]
    raise typer.Exit(1 if failed else 0)


async def measure(
    console: Console, chosen: list[str], rounds: int, events: int, keep: Callable[[dict[str, Any]], None]
) -> None:
    """Runs the rows; `keep` is given the document after each of them, so that a run cut short is not lost."""
    facts = machine.facts()
    console.print(machine.told(facts))
    began = time.monotonic()
    found: dict[str, Any] = {}
    on_the_log = [name for name in chosen if ROWS[name] == "log"]
    for group in [on_the_log] * bool(on_the_log) + [[name] for name in chosen if name not in on_the_log]:
        with tempfile.TemporaryDirectory(prefix="siao-bench-", ignore_cleanup_errors=True) as folder:
            async with running(Path(folder)) as servers:
                bench = Bench(servers, console, rounds, events)
                if group == on_the_log:
                    await bench.publish()
                for name in group:
                    found[name] = await _row(bench, name)
                    done = {"load after": machine.load(), "seconds": round(time.monotonic() - began)}
                    keep({"machine": facts | done, "rounds": rounds, "events": events, "rows": found})
    console.print(f"{len(found)} rows in {time.monotonic() - began:.0f} s; load now {machine.load()}")


async def _row(bench: Bench, name: str) -> dict[str, Any]:
    began = time.monotonic()
    bench.console.print(f"{name} …")
    try:
        row: Row = await import_module(f"tests.benchmarks.rows.{name.replace('-', '_')}").run(bench)
        row.compare_states()
    except Exception as error:  # the other rows are measured all the same
        row = Row(name)
        row.variant("everything", "").failed = f"{type(error).__name__}: {error}"
        bench.console.print_exception()
    document: dict[str, Any] = row.document() | {"seconds": round(time.monotonic() - began)}
    table.show(bench.console, name, document)
    return document


if __name__ == "__main__":
    typer.run(main)
