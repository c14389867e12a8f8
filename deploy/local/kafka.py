"""Kafka as Siao needs it: its topics, a SCRAM user a service, and just the rights of shared/events/topics.py."""

from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any

from confluent_kafka import KafkaException
from confluent_kafka.admin import (
    AclBinding,
    AclBindingFilter,
    AclOperation,
    AclPermissionType,
    AdminClient,
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
    NewTopic,
    ResourcePatternType,
    ResourceType,
    ScramCredentialInfo,
    ScramMechanism,
    UserScramCredentialAlteration,
    UserScramCredentialUpsertion,
)
from tenacity import RetryError, Retrying, retry_if_result, stop_after_delay, wait_fixed

from deploy.local.trouble import Trouble
from shared.events.topics import GROUP_PREFIXES, TOPICS, Topic

SECONDS = 20
ROUNDS = 8192
"""Of PBKDF2: twice what RFC 7677 asks for at least; Kafka's own default is 4096."""


@dataclass(frozen=True)
class Login:
    """A cluster's bootstrap address, and the administrator's user and password; no user: a cluster without SASL."""

    address: str
    user: str = ""
    password: str = ""

    @property
    def secured(self) -> bool:
        return bool(self.user)


def parse(text: str) -> Login:
    """Reads SIAO_KAFKA: `user:password@host:port`, or `host:port` of a cluster without SASL."""
    credentials, _, address = text.rpartition("@")
    user, _, password = credentials.partition(":")
    return Login(address, user, password)


def provision(login: Login, passwords: Mapping[str, str], *, insecure: bool) -> None:
    """Makes users, topics and rights, or mends them; removes rights of our users that the table does not give.

    Never deletes a topic. `passwords` maps principal to password. `insecure` allows a cluster that checks nobody.
    Raises Trouble when the cluster is unreachable, refuses, or has one of our topics with another partition count.
    """
    if not login.secured and not insecure:
        raise _unprotected(login.address)
    admin = _client(login)
    try:
        if login.secured:
            _users(admin, passwords)
        _topics(admin)
        if login.secured:
            _rights(admin, passwords, insecure=insecure, address=login.address)
    except (KafkaException, TimeoutError) as error:
        why = error.args[0].name() if isinstance(error, KafkaException) else "timed out"
        raise Trouble(
            f"Kafka at {login.address} refuses or does not answer ({why}): check that it runs, "
            "and the user and password in SIAO_KAFKA.",
            f"เชื่อมต่อ Kafka ที่ {login.address} ไม่ได้ โปรดตรวจว่าเปิดอยู่ และตรวจชื่อผู้ใช้กับรหัสผ่านใน SIAO_KAFKA",
        ) from error


def _client(login: Login) -> AdminClient:
    options: dict[str, Any] = {
        "bootstrap.servers": login.address,
        "socket.timeout.ms": SECONDS * 1000,
        "log_level": 0,
        "error_cb": lambda _: None,  # what matters comes back from each call
    }
    if login.secured:
        options |= {
            "security.protocol": "SASL_PLAINTEXT",
            "sasl.mechanism": "SCRAM-SHA-512",
            "sasl.username": login.user,
            "sasl.password": login.password,
        }
    return AdminClient(options)


def _users(admin: AdminClient, passwords: Mapping[str, str]) -> None:
    how = ScramCredentialInfo(ScramMechanism.SCRAM_SHA_512, ROUNDS)
    wanted: list[UserScramCredentialAlteration] = [
        UserScramCredentialUpsertion(user, how, word.encode()) for user, word in passwords.items()
    ]
    _done(admin.alter_user_scram_credentials(wanted).values())


def _topics(admin: AdminClient) -> None:
    there = admin.list_topics(timeout=SECONDS).topics
    missing = [topic for topic in TOPICS if topic.name not in there]
    if missing:  # replicas: -1 is what the cluster has set as its default
        fresh = [NewTopic(topic.name, topic.partitions, -1, config=topic.config) for topic in missing]
        _done(admin.create_topics(fresh, operation_timeout=SECONDS).values())
    present = [topic for topic in TOPICS if topic.name in there]
    for topic in present:
        _check_partitions(topic, len(there[topic.name].partitions))
    _settings(admin, present)


def _check_partitions(topic: Topic, count: int) -> None:
    if count != topic.partitions:
        raise Trouble(
            f"Topic {topic.name} has {count} partitions and must have {topic.partitions}: it is another "
            "system's, or was changed by hand; use another Kafka, or restore the topic.",
            f"หัวข้อ {topic.name} มี {count} พาร์ทิชัน แต่ต้องมี {topic.partitions} โปรดใช้ Kafka เครื่องอื่นหรือกู้คืนหัวข้อนี้",
        )


def _settings(admin: AdminClient, topics: Iterable[Topic]) -> None:
    """Sets again what differs from the table."""
    resources = {ConfigResource(ConfigResource.Type.TOPIC, topic.name): topic for topic in topics}
    if not resources:
        return
    changes = []
    for resource, answer in admin.describe_configs(list(resources)).items():
        now = answer.result(SECONDS)
        wrong = {name: value for name, value in resources[resource].config.items() if now[name].value != value}
        if wrong:
            entries = [ConfigEntry(n, v, incremental_operation=AlterConfigOpType.SET) for n, v in wrong.items()]
            changes.append(ConfigResource(ConfigResource.Type.TOPIC, resource.name, incremental_configs=entries))
    if changes:
        _done(admin.incremental_alter_configs(changes).values())


def rights() -> set[AclBinding]:
    """Every right of the table: writers WRITE, readers READ and DESCRIBE, groups by prefix READ."""
    wanted = set()
    for topic in TOPICS:
        for writer in topic.writers:
            wanted.add(_allow(writer, ResourceType.TOPIC, topic.name, AclOperation.WRITE))
        for reader in topic.readers:
            wanted.add(_allow(reader, ResourceType.TOPIC, topic.name, AclOperation.READ))
            wanted.add(_allow(reader, ResourceType.TOPIC, topic.name, AclOperation.DESCRIBE))
    for member, prefixes in GROUP_PREFIXES.items():
        for prefix in prefixes:
            wanted.add(_allow(member, ResourceType.GROUP, prefix, AclOperation.READ, ResourcePatternType.PREFIXED))
    return wanted


def _rights(admin: AdminClient, principals: Iterable[str], *, insecure: bool, address: str) -> None:
    try:
        there = granted(admin)
    except KafkaException as error:
        if error.args[0].name() != "SECURITY_DISABLED":
            raise
        if not insecure:
            raise _unprotected(address) from error
        return
    ours = {f"User:{principal}" for principal in principals}
    if missing := rights() - there:
        _done(admin.create_acls(list(missing)).values())
    if surplus := {acl for acl in there - rights() if acl.principal in ours}:
        _done(admin.delete_acls([_only(acl) for acl in surplus]).values())
    if missing or surplus:
        _until(lambda: rights() <= (now := granted(admin)) and not now & surplus)


def granted(admin: AdminClient) -> set[AclBinding]:
    """Every right that the broker knows of, whoever's."""
    everything = AclBindingFilter(  # None is any; its annotations do not say so
        ResourceType.ANY,
        None,  # type: ignore[arg-type]
        ResourcePatternType.ANY,
        None,  # type: ignore[arg-type]
        None,  # type: ignore[arg-type]
        AclOperation.ANY,
        AclPermissionType.ANY,
    )
    return set(admin.describe_acls(everything).result(SECONDS))


def _until(holds: Callable[[], bool]) -> None:
    """Waits until the broker does what the controller has promised: it learns of it a moment later.

    Raises TimeoutError.
    """
    wait = Retrying(retry=retry_if_result(lambda held: not held), stop=stop_after_delay(SECONDS), wait=wait_fixed(0.1))
    try:
        wait(holds)
    except RetryError as error:
        raise TimeoutError from error


def _allow(
    user: str,
    kind: ResourceType,
    name: str,
    operation: AclOperation,
    pattern: ResourcePatternType = ResourcePatternType.LITERAL,
) -> AclBinding:
    return AclBinding(kind, name, pattern, f"User:{user}", "*", operation, AclPermissionType.ALLOW)


def _only(acl: AclBinding) -> AclBindingFilter:
    return AclBindingFilter(
        acl.restype,
        acl.name,
        acl.resource_pattern_type,
        acl.principal,
        acl.host,
        acl.operation,
        acl.permission_type,
    )


def _done(answers: Iterable[Future[Any]]) -> None:
    """Waits for all of them; raises the first KafkaException."""
    for answer in answers:
        answer.result(SECONDS)


def _unprotected(address: str) -> Trouble:
    return Trouble(
        f"Kafka at {address} checks nobody's rights, so any program could write our events: give SIAO_KAFKA as "
        "user:password@host:port of a cluster with SASL and ACLs, or set SIAO_KAFKA_INSECURE=1 to accept that.",
        f"Kafka ที่ {address} ไม่ตรวจสิทธิ์ผู้ใช้ โปรดใช้คลัสเตอร์ที่มี SASL และ ACL หรือตั้ง SIAO_KAFKA_INSECURE=1 หากยอมรับความเสี่ยง",
    )
