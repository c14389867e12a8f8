"""pyeventsourcing (PyPI eventsourcing) on PostgreSQL: appending commands, and its projection runner with one table.

`python -m tests.benchmarks.peers.pyes append | project`.
"""

import json
import os
import sys
import threading
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import NAMESPACE_URL, UUID, uuid5
from zlib import crc32

from confluent_kafka import OFFSET_BEGINNING, Consumer, TopicPartition
from eventsourcing.application import Application
from eventsourcing.domain import Aggregate, event
from eventsourcing.persistence import Tracking
from eventsourcing.postgres import PostgresTrackingRecorder
from eventsourcing.projection import Projection, ProjectionRunner
from eventsourcing.utils import get_topic

from tests.benchmarks.peers.job import Cell, Stopwatch, Told, cell_of

THREADS = 8
IN_A_SAVE = 100
"""Events, while the store is filled; the clock does not run then."""


class Household(Aggregate):
    @staticmethod
    def create_id(household: str) -> UUID:
        return uuid5(NAMESPACE_URL, household)

    @event("Registered")
    def __init__(self, household: str, told: dict[str, Any]) -> None:
        self.registered, self.assessed, self.classified = told, [], []

    @event("Assessed")
    def assess(self, told: dict[str, Any]) -> None:
        self.assessed.append(told)

    @event("Classified")
    def classify(self, told: dict[str, Any]) -> None:
        self.classified.append(told)


class Registry(Application[UUID]):
    pass


def environment(told: Told) -> dict[str, str]:
    place = urlsplit(told.dsn)
    return {
        "PERSISTENCE_MODULE": "eventsourcing.postgres",
        "POSTGRES_DBNAME": place.path.strip("/"),
        "POSTGRES_HOST": place.hostname or "",
        "POSTGRES_PORT": str(place.port),
        "POSTGRES_USER": place.username or "",
        "POSTGRES_PASSWORD": place.password or "",
        "POSTGRES_SCHEMA": "pyes",
        "POSTGRES_POOL_SIZE": str(THREADS),
        "POSTGRES_MAX_OVERFLOW": str(THREADS),
    }


def append(told: Told) -> None:
    """Each command one event and a commit of its own, by several threads; those about one household by one of them."""
    app = Registry(environment(told))
    commands = [json.loads(line) for line in Path(os.environ["BENCH_FILE"]).read_text().splitlines()]
    shares: list[list[dict[str, Any]]] = [[] for _ in range(THREADS)]
    for command in commands:
        shares[crc32(command["data"]["household"].encode()) % THREADS].append(command)

    def work(share: list[dict[str, Any]]) -> None:
        for command in share:
            app.save(decided(app, command["type"], command["data"]))

    threads = [threading.Thread(target=work, args=(share,)) for share in shares]
    watch = Stopwatch(len(commands))
    watch.began()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    watch.add(len(commands))


def decided(app: Registry, kind: str, data: dict[str, Any]) -> Household:
    """The household with one more event."""
    if kind == "RegisterHousehold.v1":
        return Household(data["household"], data)
    household: Household = app.repository.get(Household.create_id(data["household"]))
    (household.assess if kind == "AssessNeeds.v1" else household.classify)(data)
    return household


class Partition(Aggregate):
    """A partition of the log; each record of it one event."""

    @event("Counted")
    def count(self, partition: int, kind: str, dimension: str) -> None:
        pass


class Counts(PostgresTrackingRecorder):
    """The one table, which moves together with the position."""

    def add(self, counted: Cell, tracking: Tracking) -> None:
        with self.datastore.transaction(commit=True) as cursor:
            self._insert_tracking(cursor, tracking)
            cursor.execute(
                "INSERT INTO bench.counts VALUES (%s, %s, %s, 1) "
                "ON CONFLICT (partition, type, dimension) DO UPDATE SET n = counts.n + 1",
                counted,
            )


class Counting(Projection[Counts]):
    name = "counting"
    topics = (get_topic(Partition.Counted),)
    watch: Stopwatch

    def process_event(self, domain_event: Any, tracking: Tracking) -> None:
        Counting.watch.began()
        self.view.add((domain_event.partition, domain_event.kind, domain_event.dimension), tracking)
        Counting.watch.add(1)


def project(told: Told) -> None:
    """Stores the log as its own events first."""
    fill(Registry(environment(told)), told)
    Counting.watch = Stopwatch(told.events)
    with ProjectionRunner(
        application_class=Registry, projection_class=Counting, view_class=Counts, env=environment(told)
    ) as runner:
        runner.run_forever()


def fill(app: Registry, told: Told) -> None:
    cells = log(told)
    aggregate = Partition()
    while some := list(islice(cells, IN_A_SAVE)):
        for counted in some:
            aggregate.count(*counted)
        app.save(aggregate)


def log(told: Told) -> Iterator[Cell]:
    consumer = Consumer({"bootstrap.servers": told.kafka, "group.id": told.group} | told.librdkafka)
    partitions = {t: len(consumer.list_topics(t, 10).topics[t].partitions) for t in told.topics}
    consumer.assign([TopicPartition(t, n, OFFSET_BEGINNING) for t, count in partitions.items() for n in range(count)])
    left = told.events
    while left:
        for message in consumer.consume(1_000, timeout=0.2):
            yield cell_of(message)
            left -= 1
    consumer.close()


if __name__ == "__main__":
    {"append": append, "project": project}[sys.argv[1]](Told())
