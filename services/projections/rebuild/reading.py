"""The records of one partition number, read as fast as one process can take them."""

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, cast

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition

from services.projections.decode import SERVICE_OF_TOPIC
from services.projections.facts import Held
from shared.events.topics import EVENT_TOPICS
from shared.runtime.settings import Settings

AT_ONCE = 5_000
WAIT_SECONDS = 0.2
SILENT_SECONDS = 30
AHEAD_KBYTES = 16_384
"""What the client may hold of each partition before it is asked for."""


@contextmanager
def reading(settings: Settings) -> Iterator[Consumer]:
    """librdkafka's consumer, which decodes beside Python and not in it. Of no group: it commits nothing."""
    login = {
        "security.protocol": "SASL_PLAINTEXT",
        "sasl.mechanism": "SCRAM-SHA-512",
        "sasl.username": settings.kafka_user,
        "sasl.password": settings.kafka_password.get_secret_value(),
    }
    options: dict[str, Any] = {
        "bootstrap.servers": settings.kafka,
        "client.id": "siao-projections-rebuild",
        "group.id": "projections-rebuild",  # the client wants a name; nothing is ever joined or committed under it
        "enable.auto.commit": False,
        "enable.auto.offset.store": False,
        "auto.offset.reset": "error",
        "isolation.level": "read_committed",
        "enable.partition.eof": True,
        "queued.max.messages.kbytes": AHEAD_KBYTES,
        # By default a partition that was just assigned waits half a second for an answer about the one before, and a
        # full queue is looked at again after a second.
        "fetch.wait.max.ms": 10,
        "fetch.queue.backoff.ms": 5,
    }
    consumer = Consumer(options | (login if settings.kafka_user else {}))
    try:
        yield consumer
    finally:
        consumer.close()


def chunks(consumer: Consumer, number: int, until: Mapping[str, int]) -> Iterator[list[Held]]:
    """From the beginning to just before `until` (service -> offset); each topic in the order of its offsets.

    Blocks. Raises KafkaException, and TimeoutError when nothing arrives.
    """
    at = {EVENT_TOPICS[service].name: 0 for service in until if until[service]}
    ends = {topic: until[SERVICE_OF_TOPIC[topic]] for topic in at}
    consumer.assign([TopicPartition(topic, number, 0) for topic in at])
    heard = time.monotonic()
    while left := sum(ends[topic] - offset for topic, offset in at.items() if offset < ends[topic]):
        some = consumer.consume(min(left, AT_ONCE), WAIT_SECONDS)
        records = [record for record in map(_record, some) if record and record.offset < ends[record.topic]]
        for message in some:
            topic, offset = cast(str, message.topic()), cast(int, message.offset())
            at[topic] = max(at[topic], offset if message.error() else offset + 1)
        if records:
            yield records
        heard = time.monotonic() if some else heard
        if time.monotonic() - heard > SILENT_SECONDS:
            raise TimeoutError(f"records of partition {number} are there and none arrives")


def _record(message: Message) -> Held | None:
    """None for the note that the end is reached. Raises KafkaException for any other trouble."""
    if error := message.error():
        if error.code() == KafkaError._PARTITION_EOF:
            return None
        raise KafkaException(error)
    of: Any = message  # the client's own stubs call all of this optional
    return Held(of.topic(), of.partition(), of.offset(), of.key(), of.value(), of.headers() or [])
