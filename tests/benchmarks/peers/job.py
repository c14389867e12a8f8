"""The job that each engine is given: how many events of each partition, type and dimension, in PostgreSQL.

It is the same code for all of them, in whichever environment they run: decoding with msgspec, one upsert a batch. What
differs is how the engine brings the records here, and what it guarantees.
"""

import json
import os
import time
from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any

import msgspec

Cell = tuple[int, str, str]
"""partition, type, dimension ("" where the event has none)."""

DDL = """
CREATE SCHEMA IF NOT EXISTS bench;
CREATE TABLE IF NOT EXISTS bench.counts (
    partition integer NOT NULL, type text NOT NULL, dimension text NOT NULL, n bigint NOT NULL,
    PRIMARY KEY (partition, type, dimension)) WITH (fillfactor = 50);
CREATE TABLE IF NOT EXISTS bench.checkpoint (
    topic text NOT NULL, partition integer NOT NULL, next bigint NOT NULL, PRIMARY KEY (topic, partition));
TRUNCATE bench.counts, bench.checkpoint"""

UPSERT = """
INSERT INTO bench.counts SELECT * FROM unnest({}::integer[], {}::text[], {}::text[], {}::bigint[])
ON CONFLICT (partition, type, dimension) DO UPDATE SET n = counts.n + excluded.n"""
NUMBERED = UPSERT.format("$1", "$2", "$3", "$4")
FORMATTED = UPSERT.format("%s", "%s", "%s", "%s")
"""The same for asyncpg and for psycopg."""


class _Need(msgspec.Struct):
    dimension: str
    in_need: bool


class _Slim(msgspec.Struct):
    """What the job needs of any event's data."""

    dimensions: tuple[str, ...] = ()
    needs: tuple[_Need, ...] = ()


_decode = msgspec.json.Decoder(_Slim).decode


def cell(partition: int, headers: Iterable[tuple[str, bytes]], value: bytes) -> Cell:
    data = _decode(value)
    dimension = data.dimensions[0] if data.dimensions else next((n.dimension for n in data.needs if n.in_need), "")
    kind = next(text for name, text in headers if name == "ce_type")
    return partition, kind.decode(), dimension


def cell_of(message: Any) -> Cell:
    """Of a message as confluent-kafka has it."""
    return cell(message.partition(), message.headers(), message.value())


def columns(counts: Counter[Cell]) -> list[list[Any]]:
    """In the order of the cells, so that two transactions cannot wait for each other."""
    rows = [(*counted, n) for counted, n in sorted(counts.items())]
    return [list(column) for column in zip(*rows, strict=True)]


class Told:
    """What the benchmark tells a process by its environment."""

    def __init__(self) -> None:
        told = os.environ
        self.events = int(told.get("BENCH_EVENTS", "0"))
        self.topics = told.get("BENCH_TOPICS", "").split(",")
        self.dsn = told["BENCH_DSN"]
        self.kafka = told.get("BENCH_KAFKA", "")
        self.user, self.password = told.get("BENCH_USER", ""), told.get("BENCH_PASSWORD", "")
        self.group = told.get("BENCH_GROUP", "")

    @property
    def librdkafka(self) -> dict[str, str]:
        """How a librdkafka client logs in."""
        return {
            "security.protocol": "SASL_PLAINTEXT",
            "sasl.mechanism": "SCRAM-SHA-512",
            "sasl.username": self.user,
            "sasl.password": self.password,
        }


class Stopwatch:
    """Runs from the moment when records may be fetched until as many events as expected are committed; then it tells
    on one line."""

    def __init__(self, events: int) -> None:
        self._events, self._done = events, 0
        self._began: tuple[float, float] | None = None

    def began(self) -> None:
        """To be called when the first client may fetch, or with the first record; later calls do nothing."""
        if self._began is None:
            self._began = time.monotonic(), time.process_time()

    def add(self, events: int, counts: Callable[[], list[tuple[Any, ...]]] | None = None) -> bool:
        """So many more are committed. True when all are. `counts`: of those who keep them in memory."""
        self._done += events
        if self._done < self._events or self._began is None:
            return False
        at, cpu = self._began
        took = {"events": self._done, "seconds": time.monotonic() - at, "cpu": time.process_time() - cpu}
        self.tell(**took, **({"counts": counts()} if counts else {}))
        return True

    @staticmethod
    def tell(**told: Any) -> None:
        print(json.dumps(told), flush=True)


def counted(partition: int, records: Iterable[Any]) -> Counter[Cell]:
    """Of records with `headers` and `value`, as aiokafka has them."""
    return Counter(cell(partition, record.headers, record.value) for record in records)
