"""Kafka's own console consumer, as an auditor would start it, reads what was published and can write nothing."""

import asyncio
import json
import subprocess

import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.errors import TopicAuthorizationFailedError

from shared.events.topics import EVENT_TOPICS, partition_of
from tests.support.commands import register, serving
from tests.support.processes import Process, running
from tests.support.servers import free_port

SECONDS = 120


async def test_it_reads_keys_headers_and_values(servers):
    topic = EVENT_TOPICS["registry"].name
    settings = servers.settings("registry", http_port=free_port())
    relay = Process("registry", "relay", settings, servers.home.log("console-relay"))
    async with serving(servers, "registry") as client, running(relay):
        household = (await client.post("/commands", json=register())).json()["subject"]
        text = await _consumed(servers, topic, household)
    assert household in text, text
    [line] = [line for line in text.splitlines() if household in line]
    headers, key, value = line.split("\t")
    assert "ce_type:HouseholdRegistered.v1" in headers.split(",")
    assert (key, json.loads(value)["household"]) == (household, household)


async def test_the_auditor_writes_nothing(servers):
    producer = AIOKafkaProducer(**servers.kafka_login("auditor"))
    await producer.start()
    try:
        with pytest.raises(TopicAuthorizationFailedError):
            await producer.send_and_wait(EVENT_TOPICS["registry"].name, b"{}")
    finally:
        await producer.stop()


async def _consumed(servers, topic: str, until: str) -> str:
    """Reads the partition of the key `until` from its beginning until that was seen."""
    command = [str(servers.broker.java.path), "-Xmx128m", "-cp", servers.broker.class_path]
    command += ["org.apache.kafka.tools.consumer.ConsoleConsumer", "--bootstrap-server", servers.broker.address]
    command += ["--command-config", str(servers.home.secrets / "auditor.properties"), "--topic", topic]
    command += [
        *("--partition", str(partition_of(until)), "--offset", "earliest"),
        "--formatter-property",
        "print.headers=true",
        "--formatter-property",
        "print.key=true",
    ]
    child = await asyncio.create_subprocess_exec(*command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    read = b""
    try:
        async with asyncio.timeout(SECONDS):
            while until.encode() not in read and child.stdout and (line := await child.stdout.readline()):
                read += line
    finally:
        child.kill()
        await child.wait()
    return read.decode(errors="replace")
