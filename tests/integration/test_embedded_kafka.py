"""A Kafka node of one's own: formatted, broken in every way we know of, and started again."""

import asyncio
import re
import signal
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import KafkaConnectionError
from rich.console import Console

from deploy.local.home import here
from shared.runtime.embedded import SetupError, free_port, jars, java, kafka
from tests.support.servers import end, spawn, until

WORDS = {"admin": "word-of-admin", "ctl": "word-of-ctl", "someone": "word-of-someone"}
TOPIC = "kept"


@pytest.fixture(scope="module")
def class_path() -> str:
    folder, pins = here().root / "kafka" / "jars", jars.read_pins()
    jars.fetch(folder, pins, Console(stderr=True))
    return jars.class_path(folder, pins)


@pytest.fixture
def broker(tmp_path: Path, class_path: str) -> kafka.Broker:
    return kafka.Broker(tmp_path / "แก้จน kafka", free_port(), free_port(), java.find(), class_path, WORDS)


@asynccontextmanager
async def running(broker: kafka.Broker, how: signal.Signals = signal.SIGTERM) -> AsyncIterator[int]:
    """Runs the node until the end of the block, then ends it this way; gives its process number."""
    kafka.prepare(broker)
    process = spawn(kafka.command(broker), broker.folder / "output", signal.SIGKILL)
    try:
        await until(lambda: kafka.ready(broker.address, WORDS["admin"]), process)
        yield process.pid
    finally:
        await end(process, how)


async def publish(broker: kafka.Broker, *values: bytes) -> None:
    options = kafka.client_options(broker.address, "admin", WORDS["admin"])
    admin = AIOKafkaAdminClient(**options)
    await admin.start()
    await admin.create_topics([NewTopic(TOPIC, 1, 1)])
    await admin.close()
    async with AIOKafkaProducer(**options, acks="all", enable_idempotence=True) as producer:
        for value in values:
            await producer.send_and_wait(TOPIC, value)


async def read(broker: kafka.Broker, count: int) -> list[bytes]:
    options = kafka.client_options(broker.address, "admin", WORDS["admin"])
    async with AIOKafkaConsumer(TOPIC, **options, auto_offset_reset="earliest") as consumer, asyncio.timeout(15):
        return [(await consumer.getone()).value for _ in range(count)]


async def test_survives_kill_9_and_other_ports(broker: kafka.Broker) -> None:
    async with running(broker, signal.SIGKILL):
        await publish(broker, b"one", b"two")
    elsewhere = replace(broker, port=free_port(), controller_port=free_port())
    async with running(elsewhere):
        assert await read(elsewhere, 2) == [b"one", b"two"]


async def test_starts_after_its_last_segment_was_cut(broker: kafka.Broker) -> None:
    async with running(broker, signal.SIGKILL):
        await publish(broker, b"one", b"two" * 100)
    (segment,) = (broker.data / f"{TOPIC}-0").glob("*.log")
    with segment.open("r+b") as file:
        file.truncate(segment.stat().st_size - 7)
    async with running(broker):
        assert await read(broker, 1) == [b"one"]


async def test_who_gets_in(broker: kafka.Broker) -> None:
    async with running(broker):
        assert await kafka.ready(broker.address, WORDS["admin"])
        assert not await kafka.ready(broker.address, "another word")
        someone = AIOKafkaAdminClient(**kafka.client_options(broker.address, "someone", WORDS["someone"]))
        await someone.start()
        made = await someone.create_topics([NewTopic("mine", 1, 1)])
        assert made.topic_errors[0][1] == 29  # TOPIC_AUTHORIZATION_FAILED
        await someone.close()
        for address in (broker.address, f"127.0.0.1:{broker.controller_port}"):
            stranger = AIOKafkaAdminClient(bootstrap_servers=address, request_timeout_ms=2000)
            with pytest.raises(KafkaConnectionError):
                await stranger.start()
            await stranger.close()


async def test_a_half_formatted_one_is_formatted_anew(broker: kafka.Broker) -> None:
    half = broker.folder / "data.new"
    half.mkdir(parents=True)
    (half / "meta.properties").write_text("version=1\n")
    async with running(broker):
        assert await kafka.ready(broker.address, WORDS["admin"])
    assert not half.exists()


async def test_words_are_in_no_file_that_others_may_read(broker: kafka.Broker) -> None:
    async with running(broker) as number:
        shown = Path(f"/proc/{number}/cmdline").read_text()  # noqa: ASYNC240 the kernel's, at once
        assert not any(word in shown for word in WORDS.values())
    files = [path for path in broker.folder.rglob("*") if path.is_file()]
    telling = {path.name for path in files if any(word.encode() in path.read_bytes() for word in WORDS.values())}
    assert telling == {"server.properties"}
    assert broker.folder.stat().st_mode & 0o077 == 0


async def test_kafkas_own_console_consumer(broker: kafka.Broker) -> None:
    login = broker.folder / "client.properties"
    module = "org.apache.kafka.common.security.scram.ScramLoginModule required"
    async with running(broker):
        await publish(broker, "ขอนแก่น".encode())
        login.write_text(
            "security.protocol=SASL_PLAINTEXT\nsasl.mechanism=SCRAM-SHA-512\n"
            f'sasl.jaas.config={module} username="admin" password="{WORDS["admin"]}";\n'
        )
        tool = [str(broker.java.path), "-cp", broker.class_path, "org.apache.kafka.tools.consumer.ConsoleConsumer"]
        options = ["--topic", TOPIC, "--from-beginning", "--max-messages", "1", "--command-config", str(login)]
        started = await asyncio.create_subprocess_exec(
            "env",
            "LC_ALL=C.UTF-8",
            *tool,
            "--bootstrap-server",
            broker.address,
            *options,
            stdout=asyncio.subprocess.PIPE,
        )
        out, _ = await started.communicate()
    assert out.decode().strip() == "ขอนแก่น"


@pytest.mark.parametrize("path", list(java.candidates()), ids=str)
async def test_runs_on_every_java_here(broker: kafka.Broker, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SIAO_JAVA", str(path))
    async with running(replace(broker, java=java.find())):
        assert await kafka.ready(broker.address, WORDS["admin"])
    said = (broker.folder / "output").read_text(encoding="utf-8").splitlines()
    assert not [line for line in said if not re.match(r"\d{4}-\d\d-\d\dT", line)]  # Java itself has nothing to say


def test_a_cluster_id_may_begin_with_a_hyphen(broker: kafka.Broker, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uuid, "uuid4", lambda: uuid.UUID(bytes=b"\xf8" + bytes(15)))
    kafka.prepare(broker)
    assert "cluster.id=-AAA" in (broker.data / "meta.properties").read_text()


def test_what_the_format_says_is_passed_on(broker: kafka.Broker) -> None:
    with pytest.raises(SetupError, match="could not format"):
        kafka.prepare(replace(broker, class_path="nothing.jar"))
    assert {path.name for path in broker.folder.iterdir()} == {"server.properties", "scratch"}
