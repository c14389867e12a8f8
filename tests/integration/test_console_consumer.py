"""Kafka's own console consumer, by the lines of docs/auditor.md, reads what was published and can write nothing."""

import asyncio
import contextlib
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.errors import TopicAuthorizationFailedError

from shared.events.topics import EVENT_TOPICS
from tests.support.commands import register, serving
from tests.support.processes import Process, running
from tests.support.servers import free_port

ROOT = Path(__file__).parents[2]
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


def documented(servers) -> str:
    """The lines of the document, for these servers and this interpreter."""
    text = (ROOT / "docs" / "auditor.md").read_text(encoding="utf-8")
    lines, jars = text.split("```")[1], Path(servers.broker.class_path.split(os.pathsep)[0]).parent
    places = {
        ".siao/env/bin/python": sys.executable,
        ".siao/kafka/jars": str(jars),
        ".siao/secrets": str(servers.home.secrets),
        "127.0.0.1:9092": servers.broker.address,
    }
    for said, here in places.items():
        assert lines.count(said) == 1
        lines = lines.replace(said, here)
    return lines


async def _consumed(servers, topic: str, until: str) -> str:
    """Reads the topic from its beginning until the key `until` was seen."""
    command = documented(servers)
    assert topic in command
    child = await asyncio.create_subprocess_exec(
        "bash", "-c", command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, cwd=ROOT, start_new_session=True
    )
    read = b""
    try:
        async with asyncio.timeout(SECONDS):
            while until.encode() not in read and child.stdout and (line := await child.stdout.readline()):
                read += line
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(child.pid, signal.SIGKILL)
        await child.wait()
    return read.decode(errors="replace")
