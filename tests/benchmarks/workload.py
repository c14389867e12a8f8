"""A log of any length: made-up provinces like the demonstration's, sealed and chained as a write service would.

Ten provinces at a time are interleaved by the moments at which their agencies send; the next ten begin where those
end. So a household has its eight or nine events among those of thousands of others, over a year.
"""

import heapq
import json
import random
from base64 import b64encode
from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import timedelta
from itertools import islice
from typing import Any

from confluent_kafka import Producer

from services.demo import province
from services.demo.entries import Entry, entries
from shared.events import catalog, envelope
from shared.events.base import Event
from shared.events.codes import DigitCheck, HelperKind
from tests.benchmarks.peers.job import Cell, cell
from tests.support.log import Record, sealed, told
from tests.support.servers import Servers

AT_ONCE = 10
"""Provinces, at most."""
OF_A_PROVINCE = 9_900
"""Events, about: a log shorter than this holds the beginning of a course alone."""
BLOCK = timedelta(days=720)
"""Longer than a province's course."""
WAITING = 100_000
"""Records that are sent and not yet acknowledged."""
SEALING_BYTES = 28
"""That AES-GCM adds: nonce and tag."""
EVENT_OF_COMMAND = {
    "RegisterHousehold.v1": "HouseholdRegistered.v1",
    "ClassifyHousehold.v1": "HouseholdClassified.v1",
    "AssessNeeds.v1": "NeedsAssessed.v1",
    "EnrolHelper.v1": "HelperEnrolled.v1",
    "AssignPair.v1": "PairAssigned.v1",
    "RecordIntervention.v1": "InterventionDelivered.v1",
}
STREAM_OF_COMMAND = {"EnrolHelper.v1": "helper", "AssignPair.v1": "pairing", "RecordIntervention.v1": "case"}
"""Kind of stream where it is not the household's."""


def records(count: int, seed: int = 1) -> Iterator[Record]:
    """The first `count` records of the log, in the order in which they were recorded; no more than ten provinces are
    held in memory."""
    return islice(_endless(seed, max(1, min(AT_ONCE, round(count / OF_A_PROVINCE)))), count)


def _endless(seed: int, at_once: int) -> Iterator[Record]:
    draw, block = random.Random(seed), 0
    while True:
        heads: dict[str, tuple[int, str]] = {}
        first = seed * 1_000_000 + block * at_once
        several = [entries(province.make(first + n)) for n in range(at_once)]
        for number, entry in enumerate(heapq.merge(*several, key=lambda entry: entry.sent_at)):
            yield _record(entry, heads, block * BLOCK + timedelta(milliseconds=number), draw)
        block += 1


def _record(entry: Entry, heads: dict[str, tuple[int, str]], later: timedelta, draw: random.Random) -> Record:
    kind, data = entry.command["type"], entry.command["data"]
    key = data["helper" if kind == "EnrolHelper.v1" else "household"]
    stream = f"{STREAM_OF_COMMAND.get(kind, 'household')}-{key}"
    version, prev_hash = heads.get(stream, (0, envelope.GENESIS))
    one = sealed(stream, version + 1, prev_hash, _event(kind, data, draw), entry.sent_at + later, agency=entry.agency)
    heads[stream] = version + 1, told(one)["ce_hash"]
    return one


def _event(kind: str, data: dict[str, Any], draw: random.Random) -> Event:
    """What the services make of a command, with noise in the place of what they seal."""
    event = dict(data)
    if kind == "RegisterHousehold.v1":
        event["address_sealed"] = _noise(draw, event.pop("house_number"))
        event["members"] = [
            {
                "person": member["person"],
                "relation": member["relation"],
                "citizen_id_check": DigitCheck.RIGHT,
                "sealed": _noise(draw, repr(member)),
            }
            for member in event["members"]
        ]
    elif kind == "EnrolHelper.v1":
        event["sealed"] = _noise(draw, event.pop("name"))
    elif kind == "AssignPair.v1":
        event["helper_kind"] = HelperKind.OFFICER
    return catalog.decode(EVENT_OF_COMMAND[kind], json.dumps(event).encode())


def _noise(draw: random.Random, text: str) -> str:
    return b64encode(draw.randbytes(len(text.encode()) + SEALING_BYTES)).decode()


class Publisher:
    """Sends records in their order, and counts what counting them must come to."""

    def __init__(self, servers: Servers) -> None:
        self._producer = Producer(
            {
                "bootstrap.servers": servers.broker.address,
                "security.protocol": "SASL_PLAINTEXT",
                "sasl.mechanism": "SCRAM-SHA-512",
                "sasl.username": "admin",
                "sasl.password": servers.words["kafka"]["admin"],
                "enable.idempotence": True,
                "compression.type": "lz4",
                "linger.ms": 20,
                "queue.buffering.max.messages": 2 * WAITING,
                "log_level": 3,
            }
        )

    def publish(self, made: Iterable[Record], prefix: str = "") -> dict[Cell, int]:
        """`prefix` of the topics' names."""
        counts: Counter[Cell] = Counter()
        for record in made:
            headers: list[Any] = [(name, text or b"") for name, text in record.headers]
            counts[cell(record.partition, headers, record.value or b"")] += 1
            self._send(prefix + record.topic, record, headers)
        self._producer.flush()
        return dict(counts)

    def _send(self, topic: str, record: Record, headers: list[tuple[str, str | bytes | None]]) -> None:
        self._producer.poll(0)
        while len(self._producer) >= WAITING:
            self._producer.poll(0.1)
        self._producer.produce(topic, record.value, record.key, record.partition, headers=headers)
