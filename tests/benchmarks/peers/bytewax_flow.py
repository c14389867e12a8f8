"""Bytewax: batches from its Kafka source, counted, into a sink of one upsert a batch."""

from collections import Counter
from typing import Any

import bytewax.operators as op
import psycopg
from bytewax.connectors.kafka import KafkaSource
from bytewax.dataflow import Dataflow
from bytewax.outputs import DynamicSink, StatelessSinkPartition
from bytewax.testing import run_main

from tests.benchmarks.peers.job import FORMATTED, Cell, Stopwatch, Told, cell, columns

BATCH = 5_000


class Partition(StatelessSinkPartition[Counter[Cell]]):  # type: ignore[misc]
    def __init__(self, told: Told, watch: Stopwatch) -> None:
        self._connection, self._watch = psycopg.connect(told.dsn), watch

    def write_batch(self, items: list[Counter[Cell]]) -> None:
        counts: Counter[Cell] = Counter()
        for one in items:
            counts.update(one)
        with self._connection.transaction():
            self._connection.execute(FORMATTED, columns(counts))
        self._watch.add(counts.total())


class Sink(DynamicSink[Counter[Cell]]):  # type: ignore[misc]
    def __init__(self, told: Told, watch: Stopwatch) -> None:
        self._told, self._watch = told, watch

    def build(self, step_id: str, worker_index: int, worker_count: int) -> Partition:
        return Partition(self._told, self._watch)


def main() -> None:
    told = Told()
    watch = Stopwatch(told.events)

    class Source(KafkaSource):  # type: ignore[misc]
        """Its clients, one a partition, fetch ahead as soon as they are there, before anybody asks for a record."""

        def build_part(self, *of: Any) -> Any:
            part = super().build_part(*of)
            watch.began()
            return part

    def counted(messages: list[Any]) -> list[Counter[Cell]]:
        return [Counter(cell(m.partition, m.headers, m.value) for m in messages)]

    source = Source(
        [told.kafka],
        told.topics,
        tail=False,
        add_config=told.librdkafka | {"fetch.queue.backoff.ms": "5"},
        batch_size=BATCH,
    )
    flow = Dataflow("counts")
    stream = op.flat_map_batch("count", op.input("kafka", flow, source), counted)
    op.output("postgres", stream, Sink(told, watch))
    run_main(flow)


if __name__ == "__main__":
    main()
