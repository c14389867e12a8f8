"""Row 3: consume, decode and fold in memory, against loops without an engine."""

from tests.benchmarks.bench import MANY, Bench
from tests.benchmarks.report import RATE, Row, Wanted

SIAO, AIOKAFKA, CONFLUENT = "Siao's transport", "aiokafka + msgspec", "confluent-kafka + msgspec"


async def run(bench: Bench) -> Row:
    row = Row(
        "consume, decode and fold in memory",
        wanted=[
            Wanted(RATE, SIAO, AIOKAFKA, at_least=0.5, aim=0.6),
            Wanted(RATE, SIAO, CONFLUENT, aim=0.5),
        ],
    )
    siao = row.variant(SIAO, "none: in memory, for comparison alone; groups, rebalances, lanes as in the worker")
    aiokafka = row.variant(AIOKAFKA, "none: in memory, no group")
    confluent = row.variant(CONFLUENT, "none: in memory, no group; librdkafka's threads use the second core")
    for _ in range(bench.rounds):
        await bench.count(siao, "tests.benchmarks.workers.transport", prefix=MANY, BENCH_MEMORY="1")
        await bench.count(aiokafka, "tests.benchmarks.workers.plain_aiokafka", prefix=MANY)
        await bench.count(confluent, "tests.benchmarks.workers.plain_confluent", prefix=MANY)
    return row
