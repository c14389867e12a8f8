"""A bare loop over confluent-kafka with msgspec, folding in memory: librdkafka's speed from Python."""

from collections import Counter

from confluent_kafka import OFFSET_BEGINNING, Consumer, TopicPartition

from shared.events.topics import PARTITIONS
from tests.benchmarks.peers.job import Cell, Stopwatch, Told, cell_of


def main() -> None:
    told = Told()
    watch, counts = Stopwatch(told.events), Counter[Cell]()
    settings = {"bootstrap.servers": told.kafka, "group.id": told.group, "fetch.queue.backoff.ms": 5}
    consumer = Consumer(settings | told.librdkafka | {"enable.auto.commit": False})
    consumer.assign(
        [TopicPartition(topic, number, OFFSET_BEGINNING) for topic in told.topics for number in range(PARTITIONS)]
    )
    watch.began()
    done = False
    while not done:
        messages = consumer.consume(10_000, timeout=0.2)
        if messages:
            counts.update(Counter(map(cell_of, messages)))
            done = watch.add(len(messages), lambda: [(*one, n) for one, n in counts.items()])
    consumer.close()


if __name__ == "__main__":
    main()
