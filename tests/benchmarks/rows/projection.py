"""Row 2: the whole engine live, every table, beside engines that only count."""

import asyncio
import tempfile
from collections.abc import Sequence
from pathlib import Path

from tests.benchmarks import costs, environment, live, profile
from tests.benchmarks.bench import TENTH, Bench, Broke
from tests.benchmarks.report import RATE, Row, Variant, Wanted
from tests.benchmarks.rows.transport import FAUST, QUIX

SIAO = "Siao, every table"


async def run(bench: Bench) -> Row:
    row = Row(
        "live projection: facts, versions, ledgers and every read model, beside engines that count alone",
        wanted=[Wanted(RATE, SIAO, FAUST, at_least=0.8), Wanted(RATE, SIAO, QUIX, aim=0.4)],
    )
    siao = row.variant(
        SIAO, "exact under any fault: versions and hashes of every stream, rows and offsets in one commit"
    )
    faust = row.variant(FAUST, "at least once, counts alone; a tenth of the log")
    quix = row.variant(QUIX, "at least once, counts alone")
    for _ in range(bench.rounds):
        await fold(bench, siao)
        await bench.count(faust, "tests.benchmarks.peers.stock_faust", prefix=TENTH)
        await bench.count(quix, "tests.benchmarks.peers.quix", peer=True)
    await _profile(bench, row)
    return row


async def fold(bench: Bench, variant: Variant) -> None:
    """One round of the live engine, which leaves its tables filled."""
    try:
        folded = await live.fold(bench)
        figures = costs.figures(folded.events, folded.spent) | await live.stored(bench)
        variant.note(figures | {"peak MiB": folded.peak_mib})
        found = await live.counted(bench)
        variant.states.append("as expected" if found == bench.counts[""] else found)
    except Broke as why:
        variant.failed = str(why)


async def _profile(bench: Bench, row: Row) -> None:
    """One round more, whose figures do not count."""
    with tempfile.TemporaryDirectory() as folder:
        into = Path(folder, "stacks")

        async def beside(pids: Sequence[int]) -> None:
            await profile.record(bench, ["--pid", str(pids[0])], into)

        try:
            await live.fold(bench, beside=beside)
            row.profile = profile.parts(await asyncio.to_thread(into.read_text))
        except (environment.Unavailable, OSError, Broke) as why:
            row.notes.append(f"no profile: {why}")
