"""A bare loop over aiokafka with msgspec, folding in memory: how fast Python can be without an engine."""

import asyncio
from collections import Counter

from aiokafka import AIOKafkaConsumer, TopicPartition

from shared.events.topics import PARTITIONS
from tests.benchmarks.peers.job import Cell, Stopwatch, Told, counted


async def main() -> None:
    told = Told()
    watch, counts = Stopwatch(told.events), Counter[Cell]()
    consumer = AIOKafkaConsumer(
        bootstrap_servers=told.kafka,
        security_protocol="SASL_PLAINTEXT",
        sasl_mechanism="SCRAM-SHA-512",
        sasl_plain_username=told.user,
        sasl_plain_password=told.password,
        auto_offset_reset="earliest",
        enable_auto_commit=False,
    )
    await consumer.start()
    consumer.assign([TopicPartition(topic, number) for topic in told.topics for number in range(PARTITIONS)])
    watch.began()
    done = False
    while not done:
        for place, records in (await consumer.getmany(timeout_ms=500)).items():
            counts.update(counted(place.partition, records))
            done = watch.add(len(records), lambda: [(*cell, n) for cell, n in counts.items()])
    await consumer.stop()


if __name__ == "__main__":
    asyncio.run(main())
