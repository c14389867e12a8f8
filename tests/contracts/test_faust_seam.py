"""What services/projections/faust_seam.py relies on inside Faust, mode and aiokafka. When this fails after an upgrade,
read the new source before the pins are moved: the exactness of the projections hangs on these places."""

import inspect
from importlib.metadata import version
from types import SimpleNamespace
from typing import Any

import faust
import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.client import AIOKafkaClient
from aiokafka.cluster import ClusterMetadata
from aiokafka.consumer.fetcher import Fetcher
from aiokafka.consumer.subscription_state import Subscription
from aiokafka.coordinator.assignors.range import RangePartitionAssignor
from faust.tables.recovery import Recovery
from faust.transport.consumer import Consumer, ThreadDelegateConsumer
from faust.transport.drivers import aiokafka as driver
from faust.types import TP

from services.projections.faust_seam import (
    App,
    BatchSchema,
    CheckpointConsumer,
    Links,
    ReadCommittedThread,
    Transport,
    make_app,
)
from services.projections.fetched import Unread
from services.projections.scheduling import BatchScheduling
from shared.events.topics import EVENT_TOPICS, PARTITIONS
from shared.runtime.settings import Settings

TOPICS = [topic.name for topic in EVENT_TOPICS.values()]


@pytest.mark.parametrize(
    ("package", "pinned"), [("faust-streaming", "0.15.3"), ("mode-streaming", "0.7.1"), ("aiokafka", "0.14.0")]
)
def test_the_versions_are_those_whose_source_was_read(package: str, pinned: str):
    assert version(package) == pinned


@pytest.mark.parametrize(
    ("function", "parameters"),
    [
        (faust.App._new_transport, ["self"]),
        (driver.Consumer._new_consumer_thread, ["self"]),
        (driver.AIOKafkaConsumerThread.on_start, ["self"]),
        (
            driver.AIOKafkaConsumerThread._fetch_records,
            ["self", "consumer", "active_partitions", "timeout", "max_records"],
        ),
        (driver.AIOKafkaConsumerThread._create_worker_consumer, ["self", "transport"]),
        (driver.AIOKafkaConsumerThread.seek_wait, ["self", "partitions"]),
        (driver.AIOKafkaConsumerThread.earliest_offsets, ["self", "partitions"]),
        (driver.AIOKafkaConsumerThread.highwaters, ["self", "partitions"]),
        (ThreadDelegateConsumer.seek_to_committed, ["self"]),
        (Consumer.on_buffer_full, ["self", "tp"]),
        (Consumer.on_buffer_drop, ["self", "tp"]),
        (faust.Schema.loads_key, ["self", "app", "message", "loads", "serializer"]),
        (faust.Schema.loads_value, ["self", "app", "message", "loads", "serializer"]),
    ],
)
def test_what_is_overridden_or_called_looks_as_it_did(function: Any, parameters: list[str]):
    assert list(inspect.signature(function).parameters) == parameters


def test_every_seek_goes_through_seek_to_committed():
    assert "await self.seek_to_committed()" in inspect.getsource(Consumer.perform_seek)
    assert "perform_seek" in inspect.getsource(Recovery._resume_streams)  # after every assignment
    assert "self.perform_seek()" in inspect.getsource(Consumer.getmany)  # when it rewinds


def unread(since: int, next_offset: int) -> Unread:
    batch = SimpleNamespace(next_offset=next_offset, max_timestamp=0, timestamp_type=0)
    return Unread(TOPICS[0], 3, since, batch)


def test_items_come_from_the_scheduler_and_carry_the_fields_of_a_record():
    assert "self.scheduler.iterate(records)" in inspect.getsource(Consumer.getmany)
    used = {"topic", "partition", "offset", "timestamp", "timestamp_type", "headers", "key", "value", "checksum"}
    used |= {"serialized_key_size", "serialized_value_size"}
    source = inspect.getsource(driver.Consumer._to_message)
    ((_, batch),) = BatchScheduling().iterate({TP(TOPICS[0], 3): [unread(7, 8)]})
    assert all(f"record.{name}" in source and hasattr(batch, name) for name in used)
    assert BatchSchema().loads_value(None, SimpleNamespace(value=batch.value)) is batch


@pytest.mark.parametrize(
    ("position", "lso", "behind"),
    [(None, None, False), (None, 7, False), (5, None, True), (5, 7, True), (7, 7, False), (8, 7, False)],
)
async def test_a_partition_is_behind_while_the_log_is_known_to_hold_more(
    position: int | None, lso: int | None, behind: bool
):
    assert "tp_state.lso = lso" in inspect.getsource(Fetcher._proc_fetch_request)
    place, other = (TopicPartition(TOPICS[0], number) for number in (3, 4))
    subscription = Subscription([TOPICS[0]])
    subscription._assign([place])
    state = subscription.assignment.state_value(place)
    state._position, state.lso = position, lso
    thread: Any = SimpleNamespace(_consumer=SimpleNamespace(_subscription=SimpleNamespace(subscription=subscription)))
    assert ReadCommittedThread.is_behind(thread, TP(*place)) is behind
    assert not ReadCommittedThread.is_behind(thread, TP(*other))
    subscription._assignment = None
    assert not ReadCommittedThread.is_behind(thread, TP(*place))


async def test_of_what_waits_no_more_is_fetched(monkeypatch: pytest.MonkeyPatch):
    asked: list[Any] = []

    async def fetch(_: Any, __: Any, partitions: Any, **___: Any) -> Any:
        asked.append(partitions)

    monkeypatch.setattr(driver.AIOKafkaConsumerThread, "_fetch_records", fetch)
    waits, other = TP(TOPICS[0], 3), TP(TOPICS[1], 3)
    consumer = SimpleNamespace(loop=None, beacon=None, scheduler=SimpleNamespace(held={waits}))
    thread = object.__new__(ReadCommittedThread)
    thread.consumer = consumer  # type: ignore[assignment]
    await thread._fetch_records(None, {waits, other}, timeout=1.0)
    assert asked == [{other}]


def test_the_consumers_private_settings_are_read_when_it_starts():
    source = inspect.getsource(AIOKafkaConsumer.start)
    assert "isolation_level=self._isolation_level" in source
    assert "assignors=self._partition_assignment_strategy" in source


def app() -> App:
    settings = Settings(kafka="127.0.0.1:1,127.0.0.1:2", kafka_user="projections", http_port=8123)
    return make_app(settings, SimpleNamespace())  # type: ignore[arg-type]


async def test_the_consumer_is_made_as_the_seam_wants_it():
    faust_app = app()
    assert isinstance(faust_app.transport, Transport)
    thread = CheckpointConsumer._new_consumer_thread(faust_app.consumer)
    consumer = thread._create_worker_consumer(faust_app.transport)
    assert consumer._isolation_level == "read_committed"
    assert consumer._partition_assignment_strategy == [RangePartitionAssignor]


def test_the_app_is_set_up_without_what_would_lose_events():
    conf = app().conf
    assert conf.web_enabled is False
    assert conf.table_standby_replicas == 0
    assert conf.topic_allow_declare is False
    assert conf.consumer_metadata_max_age_ms == 3000
    assert conf.consumer_auto_offset_reset == "earliest"
    assert str(conf.consumer_group_instance_id).endswith("-8123")
    assert [url.port for url in conf.broker] == [1, 2]


@pytest.mark.parametrize("workers", [1, 2, 3, 5, 7, 24, 25])
def test_one_worker_holds_a_partition_number_of_every_topic(workers: int):
    cluster = ClusterMetadata()
    cluster._partitions = {topic: dict.fromkeys(range(PARTITIONS)) for topic in TOPICS}
    members = {f"m{n}": RangePartitionAssignor.metadata(TOPICS) for n in range(workers)}
    held = [dict(a.assignment) for a in RangePartitionAssignor.assign(cluster, members).values()]
    for assignment in held:
        assert len({tuple(assignment.get(topic, ())) for topic in TOPICS}) == 1
    assert sorted(p for assignment in held for p in assignment.get(TOPICS[0], ())) == list(range(PARTITIONS))


def test_a_new_connection_to_a_known_broker_is_noticed():
    links, one, other = Links(), object(), object()

    def client(**nodes: object) -> Any:
        return SimpleNamespace(_client=SimpleNamespace(_conns={(node, 0): link for node, link in nodes.items()}))

    assert "self._conns[conn_id] = await create_conn(" in inspect.getsource(AIOKafkaClient._get_conn)
    assert links.same(client(bootstrap=one, a=one))
    assert links.same(client(bootstrap=other, a=one, b=other))
    assert links.same(client())
    assert not links.same(client(a=other))
    assert links.same(client(a=other))
