"""Row 1: how fast each engine brings the log to a handler that counts it into PostgreSQL."""

from tests.benchmarks.bench import MANY, TENTH, Bench
from tests.benchmarks.report import RATE, Row, Wanted

SIAO, QUIX, BYTEWAX, FAUST = "Siao's transport", "Quix Streams", "Bytewax", "stock Faust"


async def run(bench: Bench) -> Row:
    row = Row(
        "batch transport with a counting handler, into PostgreSQL",
        wanted=[
            Wanted(RATE, SIAO, QUIX, at_least=1.2, aim=1.5),
            Wanted(RATE, SIAO, BYTEWAX, at_least=0.7, aim=1.0),
            Wanted(RATE, SIAO, FAUST, at_least=8, aim=20),
        ],
    )
    siao = row.variant(SIAO, "exact: counts and offsets commit together, a zombie is fenced by a row lock")
    quix = row.variant(QUIX, "at least once: counts commit before Kafka's offsets; what is in between counts twice")
    bytewax = row.variant(BYTEWAX, "none without its recovery store: a restart counts everything again")
    faust = row.variant(FAUST, "at least once; a batch whose handler raises is lost; a tenth of the log")
    for _ in range(bench.rounds):
        await bench.count(siao, "tests.benchmarks.workers.transport", prefix=MANY)
        await bench.count(quix, "tests.benchmarks.peers.quix", prefix=MANY, peer=True)
        await bench.count(bytewax, "tests.benchmarks.peers.bytewax_flow", prefix=MANY, peer=True)
        await bench.count(faust, "tests.benchmarks.peers.stock_faust", prefix=TENTH)
    return row
