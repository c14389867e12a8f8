"""What every start brings both servers to, seen from the servers: who may do what, and that repeating it mends."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import asyncpg
import pytest
import pytest_asyncio
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
    AclBindingFilter,
    AclOperation,
    AclPermissionType,
    AdminClient,
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
    ResourcePatternType,
    ResourceType,
)

from deploy.local import credentials, kafka, migrations, postgres, provision
from deploy.local.kafka import Login
from deploy.local.migrations import Migration
from deploy.local.trouble import Trouble
from shared.events.topics import EVENT_TOPICS, TOPICS
from tests.support.servers import Servers, free_port

NOT_ALLOWED = 29
"""Kafka's error code for a topic that one may not make."""


def login(servers: Servers) -> Login:
    return Login(servers.broker.address, "admin", servers.words["kafka"]["admin"])


async def again(servers: Servers) -> None:
    await provision.provision(login(servers), servers.cluster.dsn(), servers.home.secrets)


@pytest_asyncio.fixture
async def admin(servers: Servers) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(servers.admin_dsn)
    yield connection
    await connection.close()


# -- PostgreSQL --------------------------------------------------------------------------------------------------------


async def test_repeating_it_applies_nothing_again(servers: Servers):
    assert await provision.provision_postgres(servers.cluster.dsn(), servers.home.secrets, ours=True) == []


async def test_who_logs_in_owns_nothing_and_can_make_nothing(admin: asyncpg.Connection):
    roles = [postgres.role(service) for service in postgres.MAY_USE]
    assert await admin.fetch("SELECT relname FROM pg_class WHERE relowner::regrole::text = ANY($1)", roles) == []
    for role in roles:
        makes = await admin.fetchrow(
            """SELECT has_database_privilege($1, current_database(), 'CREATE, TEMPORARY') AS in_database,
                      (SELECT bool_or(has_schema_privilege($1, oid, 'CREATE')) FROM pg_namespace) AS in_schema,
                      (SELECT rolsuper OR rolcreaterole OR rolcreatedb OR rolbypassrls OR rolreplication
                       FROM pg_roles WHERE rolname = $1) AS privileged,
                      EXISTS (SELECT FROM pg_auth_members WHERE member = $1::regrole) AS member"""
            "",
            role,
        )
        assert not any(makes.values()), role


async def test_a_role_uses_its_own_schema_only(admin: asyncpg.Connection):
    for service, own in postgres.MAY_USE.items():
        usable = await admin.fetch(
            "SELECT nspname FROM pg_namespace WHERE nspname !~ '^(pg_|information_schema)' "
            "AND has_schema_privilege($1, oid, 'USAGE') ORDER BY 1",
            postgres.role(service),
        )
        assert [row["nspname"] for row in usable] == [own]


@pytest.mark.parametrize("schema", EVENT_TOPICS)
async def test_no_role_can_change_or_remove_what_is_recorded(admin: asyncpg.Connection, schema: str):
    """Nor forget an answer, nor set a stream back to its beginning."""
    denied = {"event": "UPDATE, DELETE, TRUNCATE", "receipt": "UPDATE, DELETE, TRUNCATE", "head": "DELETE, TRUNCATE"}
    for table, rights in denied.items():
        held = await admin.fetch(
            "SELECT rolname FROM pg_roles WHERE rolname LIKE 'siao\\_%' AND rolcanlogin "
            "AND has_table_privilege(rolname, $1, $2)",
            f"{schema}.{table}",
            rights,
        )
        assert not held, (table, held)


async def test_the_gateway_only_reads(admin: asyncpg.Connection):
    writable = await admin.fetch(
        "SELECT relname FROM pg_class WHERE relkind IN ('r', 'p', 'v') AND relnamespace::regnamespace::text = ANY($1) "
        "AND has_table_privilege('siao_gateway', oid, 'INSERT, UPDATE, DELETE, TRUNCATE, REFERENCES, TRIGGER')",
        list(postgres.SCHEMAS),
    )
    assert writable == []


@pytest.mark.parametrize("database", ["postgres", "template1"])
async def test_the_other_databases_are_closed(servers: Servers, database: str):
    dsn = servers.dsn("registry").rsplit("/", 1)[0]
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await asyncpg.connect(f"{dsn}/{database}")


async def test_nobody_gets_in_without_the_password(servers: Servers):
    wrong = postgres.dsn_of("registry", "wrong", servers.cluster.dsn())
    with pytest.raises(asyncpg.InvalidPasswordError):
        await asyncpg.connect(wrong)
    with pytest.raises(asyncpg.InvalidAuthorizationSpecificationError):  # the owner has no login
        await asyncpg.connect(wrong.replace("siao_registry", "siao_owner"))


async def test_a_password_and_a_right_changed_by_hand_do_not_stay(servers: Servers, admin: asyncpg.Connection):
    await admin.execute("ALTER ROLE siao_gateway PASSWORD 'secret'; GRANT CONNECT ON DATABASE postgres TO PUBLIC")
    await again(servers)
    await (await asyncpg.connect(servers.dsn("gateway"))).close()
    await test_the_other_databases_are_closed(servers, "postgres")


async def test_a_server_that_is_not_there_is_said():
    with pytest.raises(Trouble, match=r"PostgreSQL at 127\.0\.0\.1:1 does not let us in"):
        await postgres.provision("postgresql://admin:x@127.0.0.1:1/postgres", {}, "", ours=False)


async def test_data_sealed_with_other_keys_is_left_alone(servers: Servers, tmp_path: Path):
    credentials.make(tmp_path / "secrets", holds_data=False)
    with pytest.raises(Trouble, match="keys of another SIAO_HOME"):
        await provision.provision_postgres(servers.cluster.dsn(), tmp_path / "secrets", ours=True)
    await (await asyncpg.connect(servers.dsn("gateway"))).close()  # no password was changed


async def test_an_administrator_who_is_no_superuser_is_enough(
    servers: Servers, admin: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(postgres, "DATABASE", "elsewhere")
    monkeypatch.setattr(postgres, "OWNER", "elsewhere_owner")
    monkeypatch.setattr(postgres, "role", lambda service: f"elsewhere_{service}")
    await admin.execute(
        "CREATE ROLE dba LOGIN CREATEROLE CREATEDB PASSWORD 'dba'; GRANT CONNECT ON DATABASE postgres TO dba"
    )
    dsn = servers.cluster.dsn().replace(f"admin:{servers.words['postgres']['admin']}", "dba:dba")
    applied = await postgres.provision(dsn, servers.words["postgres"], "keys", ours=False)
    assert "registry/0001_citizen_hash.sql" in applied
    assert await postgres.provision(dsn, servers.words["postgres"], "keys", ours=False) == []


# -- migrations --------------------------------------------------------------------------------------------------------


@pytest_asyncio.fixture
async def schema(admin: asyncpg.Connection) -> AsyncIterator[str]:
    await admin.execute(f"CREATE SCHEMA scratch AUTHORIZATION {postgres.OWNER}")
    yield "scratch"
    await admin.execute("DROP SCHEMA scratch CASCADE")


async def apply(admin: asyncpg.Connection, schema: str, *files: Migration) -> list[str]:
    return await migrations.apply(admin, schema, postgres.OWNER, files)


FIRST, SECOND = (
    Migration("a/0001.sql", "CREATE TABLE one (); SELECT ';'"),
    Migration("a/0002.sql", "CREATE TABLE two ()"),
)


async def test_each_file_once_and_in_order(admin: asyncpg.Connection, schema: str):
    assert await apply(admin, schema, FIRST) == ["a/0001.sql"]
    assert await apply(admin, schema, FIRST, SECOND) == ["a/0002.sql"]
    owners = await admin.fetch("SELECT tableowner FROM pg_tables WHERE schemaname = $1", schema)
    assert {row["tableowner"] for row in owners} == {postgres.OWNER}


async def test_a_file_that_fails_leaves_nothing_of_itself(admin: asyncpg.Connection, schema: str):
    broken = Migration("a/0002.sql", "CREATE TABLE half (); SELECT 1 / 0")
    with pytest.raises(asyncpg.DivisionByZeroError):
        await apply(admin, schema, FIRST, broken)
    assert await apply(admin, schema, FIRST, replace(broken, sql="CREATE TABLE half ()")) == ["a/0002.sql"]


async def test_a_file_changed_after_it_was_applied_is_refused(admin: asyncpg.Connection, schema: str):
    await apply(admin, schema, FIRST)
    with pytest.raises(Trouble, match=r"a/0001\.sql was changed"):
        await apply(admin, schema, replace(FIRST, sql="CREATE TABLE other ()"), SECOND)


async def test_an_older_program_refuses_a_newer_database(admin: asyncpg.Connection, schema: str):
    await apply(admin, schema, FIRST, SECOND)
    with pytest.raises(Trouble, match="newer Siao"):
        await apply(admin, schema, FIRST)


# -- Kafka -------------------------------------------------------------------------------------------------------------


def client(servers: Servers) -> AdminClient:
    return kafka._client(login(servers))


def granted(servers: Servers) -> set[AclBinding]:
    everything = (ResourceType.ANY, None, ResourcePatternType.ANY, None, None, AclOperation.ANY, AclPermissionType.ANY)
    admin = client(servers)
    return set(admin.describe_acls(AclBindingFilter(*everything)).result(10))


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
