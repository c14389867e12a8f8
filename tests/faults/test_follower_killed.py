"""The follower is killed at each step, meets broken records, and servers that restart or have lost something."""

import asyncio
import os
import random
import signal
from collections.abc import AsyncIterator

import asyncpg
import pytest
import pytest_asyncio
from aiokafka import AIOKafkaProducer

from shared.events.topics import EVENT_TOPICS, partition_of
from shared.runtime import ids
from shared.runtime.quarantine import BYTES
from tests.support.appending import append, append_many
from tests.support.damage import lose_tail
from tests.support.following import followed
from tests.support.processes import Process, running
from tests.support.servers import Servers, free_port

TOPIC = EVENT_TOPICS["registry"].name
SEED = os.environ.get("SIAO_TEST_SEED", "2563")


@pytest_asyncio.fixture
async def registry(servers: Servers) -> AsyncIterator[asyncpg.Pool]:
    async with asyncpg.create_pool(servers.dsn("registry"), min_size=2, max_size=8) as made:
        yield made


@pytest_asyncio.fixture
async def pairing(servers: Servers) -> AsyncIterator[asyncpg.Pool]:
    async with asyncpg.create_pool(servers.dsn("pairing"), min_size=1, max_size=2) as made:
        yield made


def relay(servers: Servers) -> Process:
    settings = servers.settings("registry", http_port=free_port())
    return Process("registry", "relay", settings, servers.home.log("relay"))


def follower(servers: Servers, **environment: str) -> Process:
    settings = servers.settings("pairing", http_port=free_port())
    return Process("pairing", "follower", settings, servers.home.log("follower"), **environment)


@pytest.mark.parametrize("step", ["before_commit", "after_commit"])
async def test_killed_at_each_step(servers: Servers, registry: asyncpg.Pool, pairing: asyncpg.Pool, step: str) -> None:
    deaths = 0
    async with running(relay(servers)):
        for seed in range(4):
            killed = follower(servers, SIAO_FAILPOINTS=f"{SEED}{seed}:follower.{step}={1 if seed % 2 else 0.3}")
            killed.spawn()
            await append_many(registry, 100, at_once=4, seed=seed)
            arriving = asyncio.create_task(followed(registry, pairing))
            while killed.exit_code is None and not arriving.done():
                await asyncio.sleep(0.1)
            arriving.cancel()
            deaths += killed.exit_code == -signal.SIGKILL
            await killed.end()
        assert deaths >= 2
        async with running(follower(servers)):
            await followed(registry, pairing)


async def test_what_cannot_be_read_is_put_aside_and_the_rest_goes_on(
    servers: Servers, registry: asyncpg.Pool, pairing: asyncpg.Pool
) -> None:
    household = ids.new_id("hh")
    partition = partition_of(household)
    bad: list[tuple[bytes | None, list[tuple[str, bytes]]]] = [
        (b"{}", []),
        (b"\xff\x00", [("ce_specversion", b"\xff")]),
        (None, [("ce_specversion", b"1.0"), ("ce_id", b"no uuid")]),
        (b"[" * 100_000, [("ce_specversion", b"2.0")]),
    ]
    async with running(relay(servers), follower(servers)):
        async with AIOKafkaProducer(**servers.kafka_login("admin")) as producer:
            placed = [
                await producer.send_and_wait(TOPIC, value, key=b"x", partition=partition, headers=headers)
                for value, headers in bad
            ]
        async with registry.acquire() as connection, connection.transaction():
            await append(connection, [household, household])
        await followed(registry, pairing)
    rows = await pairing.fetch(
        'SELECT "offset", reason, value FROM follower_quarantine WHERE partition = $1', partition
    )
    aside = {row["offset"]: row for row in rows}
    assert [aside[at.offset]["value"] for at in placed] == [value and value[:BYTES] for value, _ in bad]
    assert [aside[at.offset]["reason"] for at in placed] == [
        "headers: KeyError",
        "headers: UnicodeDecodeError",
        "headers: KeyError",
        "headers: ValueError",
    ]


async def test_both_servers_restart(servers: Servers, registry: asyncpg.Pool, pairing: asyncpg.Pool) -> None:
    following = follower(servers)
    async with running(relay(servers), following):
        for restart in (servers.restart_postgres, servers.restart_kafka):
            appending = asyncio.create_task(append_many(registry, 400, at_once=4))
            await asyncio.sleep(0.2)
            await restart()
            await appending
            await followed(registry, pairing)
        assert following.exit_code is None, "it goes on by itself"


@pytest.mark.parametrize("watching", [True, False])
async def test_a_broker_loses_what_was_followed(
    servers: Servers, registry: asyncpg.Pool, pairing: asyncpg.Pool, watching: bool
) -> None:
    draw, following = random.Random(f"{SEED} {watching}"), follower(servers)
    async with running(relay(servers)):
        async with running(following):
            await append_many(registry, 1_000, at_once=4)
            await followed(registry, pairing)
            if watching:
                await lose_tail(servers, TOPIC, draw)
                await append_many(registry, 200, at_once=4)
                await followed(registry, pairing)
        if not watching:
            await lose_tail(servers, TOPIC, draw)
            await append_many(registry, 200, at_once=4)
            async with running(following):
                await followed(registry, pairing)
