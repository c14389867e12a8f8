"""Quix Streams: its own sink, flushed at each of its checkpoints; then it commits the offsets to Kafka."""

from collections import Counter
from typing import Any

import psycopg
from quixstreams import Application
from quixstreams.kafka import ConnectionConfig
from quixstreams.sinks.base import BaseSink

from tests.benchmarks.peers.job import FORMATTED, Cell, Stopwatch, Told, cell, columns

COMMIT_EVERY = 10_000
"""Records in a checkpoint, as many as one of our transactions takes."""


class Counts(BaseSink):  # type: ignore[misc]
    def __init__(self, told: Told) -> None:
        super().__init__()
        self._connection = psycopg.connect(told.dsn)
        self._counts: Counter[Cell] = Counter()
        self._watch = Stopwatch(told.events)

    def add(  # noqa: PLR0917 as Quix calls it
        self, value: Any, key: Any, timestamp: int, headers: Any, topic: str, partition: int, offset: int
    ) -> None:
        self._watch.began()
        self._counts[cell(partition, headers, value)] += 1

    def flush(self) -> None:
        if not self._counts:
            return
        with self._connection.transaction():
            self._connection.execute(FORMATTED, columns(self._counts))
        done, self._counts = self._counts.total(), Counter()
        self._watch.add(done)

    def on_paused(self) -> None:
        self._counts = Counter()


def main() -> None:
    told = Told()
    login = ConnectionConfig(
        bootstrap_servers=told.kafka,
        security_protocol="SASL_PLAINTEXT",
        sasl_mechanism="SCRAM-SHA-512",
        sasl_username=told.user,
        sasl_password=told.password,
    )
    app = Application(
        login,
        consumer_group=told.group,
        auto_offset_reset="earliest",
        commit_every=COMMIT_EVERY,
        commit_interval=1.0,
        auto_create_topics=False,
        # librdkafka waits a second where it has enough in its queue; with less the others' rates are not reached
        consumer_extra_config={"fetch.queue.backoff.ms": 5},
        loglevel="ERROR",
    )
    sink = Counts(told)
    for topic in told.topics:
        app.dataframe(app.topic(topic, value_deserializer="bytes", key_deserializer="bytes")).sink(sink)
    app.run()


if __name__ == "__main__":
    main()
