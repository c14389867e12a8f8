"""Whatever a client wrote into a record, every reader of the log delivers it, and all of them the same."""

from dataclasses import replace
from secrets import token_hex

from aiokafka import ConsumerRecord, TopicPartition

from services.projections.decode import read
from services.projections.facts import Arrived
from services.projections.rebuild import reading
from shared.eventstore import log_reader
from shared.runtime.consumer import consuming
from tests.support.log import Log, household, registered
from tests.support.seeded import poison
from tests.support.servers import Servers

NAMES = ["x", "x\ufffd", "\ufffd\ufffd", "x\0y", "é", "", "ce_hash\0y", "x\ufffd\0"]
"""U+FFFD is written as a byte that is no UTF-8."""


async def test_all_readers_see_the_same_whatever_a_headers_name_is(servers: Servers):
    key = household(token_hex(10))
    record = Log().add(f"household-{key}", registered(key))
    wanted = [replace(record, headers=[*record.headers, (name, b"1")]) for name in NAMES]
    first, *_, last = await poison.put(servers, [("", one) for one in [*wanted, record]])
    place, end = TopicPartition(record.topic, record.partition), last.offset + 1

    asked: list[ConsumerRecord] = []
    async with consuming(servers.settings("projections")) as consumer:
        consumer.assign([place])
        consumer.seek(place, first.offset)
        while len(asked) <= len(NAMES):
            asked += (await consumer.getmany(place, timeout_ms=1000)).get(place, [])
    with reading.reading(servers.settings("projections")) as client:
        every = [r for some in reading.chunks(client, place.partition, {"registry": end}) for r in some]
    async with log_reader.reading(servers.settings("registry")) as reader:
        relayed = [r async for _, some in reader.read({place.partition: (first.offset, end)}) for r in some]

    assert [r.headers[-1] for r in asked[:-1]] == [(name, b"1") for name in NAMES]
    assert list(map(read, asked)) == list(map(read, every[first.offset :])) == list(map(read, relayed))
    assert [isinstance(read(r), Arrived) for r in asked] == [False] * len(NAMES) + [True]
