"""What every start brings Kafka to, seen from the broker: who may do what, and that repeating it mends."""

import asyncio
from dataclasses import replace

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import (
    ClusterAuthorizationFailedError,
    GroupAuthorizationFailedError,
    KafkaConnectionError,
    TopicAuthorizationFailedError,
)
from confluent_kafka.admin import (
    AclBinding,
    AclOperation,
    AdminClient,
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
    ResourceType,
)

from deploy.local import credentials, kafka, provision
from deploy.local.kafka import Login
from deploy.local.trouble import Trouble
from shared.events.topics import EVENT_TOPICS, TOPICS
from tests.support.servers import Servers, free_port

NOT_ALLOWED = 29
"""Kafka's error code for a topic that one may not make."""


def login(servers: Servers) -> Login:
    return Login(servers.broker.address, "admin", servers.words["kafka"]["admin"])


async def again(servers: Servers) -> None:
    await provision.provision(login(servers), servers.cluster.dsn(), servers.home.secrets)


def client(servers: Servers) -> AdminClient:
    return kafka._client(login(servers))


def granted(servers: Servers) -> set[AclBinding]:
    return kafka.granted(client(servers))


async def test_the_broker_knows_the_rights_of_the_table_and_no_others(servers: Servers):
    ours = {f"User:{name}" for name in servers.words["kafka"]}
    assert {acl for acl in granted(servers) if acl.principal in ours} == kafka.rights()


async def test_a_right_given_by_hand_is_taken_back_and_other_peoples_stay(servers: Servers):
    ours, theirs = (
        kafka._allow(user, ResourceType.TOPIC, "siao.pairing.v1", AclOperation.WRITE)
        for user in ("registry", "visitor")
    )
    admin = client(servers)
    for future in admin.create_acls([ours, theirs]).values():
        future.result(10)
    kafka._until(lambda: {ours, theirs} <= granted(servers))
    await again(servers)
    after = granted(servers)
    assert ours not in after
    assert theirs in after


async def test_a_setting_changed_by_hand_is_set_again(servers: Servers):
    topic, admin = EVENT_TOPICS["registry"], client(servers)
    entry = ConfigEntry("max.message.bytes", "1000", incremental_operation=AlterConfigOpType.SET)
    resource = ConfigResource(ConfigResource.Type.TOPIC, topic.name, incremental_configs=[entry])
    for future in admin.incremental_alter_configs([resource]).values():
        future.result(10)
    await again(servers)
    (described,) = admin.describe_configs([ConfigResource(ConfigResource.Type.TOPIC, topic.name)]).values()
    now = described.result(10)
    assert {name: now[name].value for name in topic.config} == topic.config


async def test_a_topic_with_other_partitions_is_not_used(servers: Servers, monkeypatch: pytest.MonkeyPatch):
    other = tuple(replace(topic, partitions=topic.partitions + 1) for topic in TOPICS)
    monkeypatch.setattr(kafka, "TOPICS", other)
    with pytest.raises(Trouble, match="has 24 partitions and must have 25"):
        await again(servers)


async def send(servers: Servers, principal: str, topic: str) -> None:
    producer = AIOKafkaProducer(**servers.kafka_login(principal), acks="all", request_timeout_ms=5000)
    try:
        await producer.start()
        async with asyncio.timeout(15):
            await producer.send_and_wait(topic, b"{}", partition=0)
    finally:
        await producer.stop()


@pytest.mark.parametrize(
    ("principal", "topic"),
    [
        (principal, topic.name)
        for topic in TOPICS
        for principal in credentials.PRINCIPALS
        if principal not in topic.writers
    ],
)
async def test_nobody_writes_where_the_table_does_not_say_so(servers: Servers, principal: str, topic: str):
    with pytest.raises((TopicAuthorizationFailedError, ClusterAuthorizationFailedError)):
        await send(servers, principal, topic)


async def read(servers: Servers, principal: str, topic: str, group: str | None) -> None:
    consumer = AIOKafkaConsumer(topic, group_id=group, **servers.kafka_login(principal))
    try:
        await consumer.start()
        await consumer.getmany(timeout_ms=2000)
        if group:
            await consumer.commit({})
    finally:
        await consumer.stop()


@pytest.mark.parametrize(
    ("principal", "topic"),
    [
        (principal, topic.name)
        for principal in credentials.PRINCIPALS
        for topic in TOPICS
        if principal not in topic.readers
    ],
)
async def test_nobody_reads_where_the_table_does_not_say_so(servers: Servers, principal: str, topic: str):
    with pytest.raises(TopicAuthorizationFailedError):
        await read(servers, principal, topic, None)


async def test_who_may_not_join_a_group_does_not(servers: Servers):
    with pytest.raises(GroupAuthorizationFailedError):
        await read(servers, "registry", "siao.registry.v1", "projections-1")
    with pytest.raises(GroupAuthorizationFailedError):
        await read(servers, "projections", "siao.registry.v1", "another")


async def test_nobody_but_the_administrator_makes_a_topic(servers: Servers):
    admin = AIOKafkaAdminClient(**servers.kafka_login("registry"))
    await admin.start()
    try:
        answer = await admin.create_topics([NewTopic("siao.more.v1", 1, 1)])
        assert [error[1] for error in answer.topic_errors] == [NOT_ALLOWED]
    finally:
        await admin.close()


async def test_nobody_gets_in_to_kafka_without_the_password(servers: Servers):
    for options in (
        servers.kafka_login("registry") | {"sasl_plain_password": "wrong"},
        {"bootstrap_servers": servers.broker.address},
    ):
        producer = AIOKafkaProducer(**options, request_timeout_ms=3000)
        with pytest.raises(KafkaConnectionError):
            await asyncio.wait_for(producer.start(), 15)
        await producer.stop()


async def test_a_cluster_that_checks_nobody_is_refused_unless_accepted():
    with pytest.raises(Trouble, match="SIAO_KAFKA_INSECURE=1"):
        kafka.provision(Login("127.0.0.1:1"), {}, insecure=False)


async def test_a_cluster_that_is_not_there_is_said(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(kafka, "SECONDS", 2)
    address = f"127.0.0.1:{free_port()}"
    with pytest.raises(Trouble, match=f"Kafka at {address} refuses or does not answer"):
        await asyncio.to_thread(kafka.provision, Login(address, "admin", "x"), {"registry": "x"}, insecure=False)
