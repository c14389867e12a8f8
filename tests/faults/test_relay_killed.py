"""The relay is killed at each step, at random, and beside restarting servers; every event arrives, in its order."""

import asyncio
import random
import signal
from collections.abc import AsyncIterator, Awaitable, Callable

import asyncpg
import pytest
import pytest_asyncio

from shared.runtime.worker import EXIT_CODE
from tests.support.appending import append_many
from tests.support.processes import Process, running
from tests.support.servers import Servers, free_port
from tests.support.topic import assert_published

EVENTS = 3_000
STEPS = ("before_send", "after_send", "before_delete")


@pytest_asyncio.fixture
async def pool(servers: Servers) -> AsyncIterator[asyncpg.Pool]:
    async with asyncpg.create_pool(servers.dsn("registry"), min_size=4, max_size=16) as made:
        yield made


def relay(servers: Servers, **environment: str) -> Process:
    settings = servers.settings("registry", http_port=free_port(), poke=f"127.0.0.1:{free_port()}")
    return Process("registry", "relay", settings, servers.home.log("relay-faults"), **environment)


async def drained(pool: asyncpg.Pool) -> None:
    async with asyncio.timeout(90):
        while await _waiting(pool):
            await asyncio.sleep(0.1)


async def _waiting(pool: asyncpg.Pool) -> int:
    try:
        waiting: int = await pool.fetchval("SELECT count(*) FROM outbox")
    except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
        return 1
    return waiting


@pytest.mark.parametrize("step", STEPS)
async def test_killed_at_each_step(servers: Servers, pool: asyncpg.Pool, step: str) -> None:
    deaths = 0
    for seed in range(5):
        process = relay(servers, SIAO_FAILPOINTS=f"{seed}:relay.{step}={1 if seed % 2 else 0.3}")
        process.spawn()
        await append_many(pool, 300, seed=seed)
        while process.exit_code is None and await _waiting(pool):
            await asyncio.sleep(0.02)
        deaths += process.exit_code == -signal.SIGKILL
        await process.end()
    assert deaths >= 2
    async with running(relay(servers)):
        await drained(pool)
    await assert_published(servers)


async def test_killed_from_outside_at_any_moment(servers: Servers, pool: asyncpg.Pool) -> None:
    draw, process = random.Random(11), relay(servers)
    appending = asyncio.create_task(append_many(pool, EVENTS))
    for _ in range(4):
        process.spawn()
        await asyncio.sleep(draw.uniform(0.8, 2.0))
        await process.end()
    async with running(process):
        await appending
        await drained(pool)
    await assert_published(servers)


async def test_resumed_after_another_took_over(servers: Servers, pool: asyncpg.Pool) -> None:
    """Stopped while it works, its connection cut; once it goes on it may repeat itself and must not harm."""
    first, second = relay(servers), relay(servers)
    async with running(first, second):
        for turn in range(2):
            appending = asyncio.create_task(append_many(pool, 600, seed=turn))
            await asyncio.sleep(0.2)
            stopped = (first, second)[turn % 2]
            stopped.send(signal.SIGSTOP)
            await pool.execute(
                """SELECT pg_terminate_backend(pid) FROM pg_locks JOIN pg_stat_activity USING (pid)
                   WHERE locktype = 'advisory' AND application_name = 'siao-registry-relay'"""
            )
            await appending
            await asyncio.sleep(2)
            stopped.send(signal.SIGCONT)
        await drained(pool)
    await assert_published(servers)


async def _postgres_at_once(servers: Servers) -> None:
    await servers.restart_postgres()


async def _kafka_cleanly(servers: Servers) -> None:
    await servers.restart_kafka()


async def _kafka_by_kill(servers: Servers) -> None:
    await servers.kill_kafka()
    await asyncio.sleep(1)
    await servers.start_kafka()


@pytest.mark.parametrize("restart", [_postgres_at_once, _kafka_cleanly, _kafka_by_kill])
async def test_beside_a_server_that_restarts(
    servers: Servers, pool: asyncpg.Pool, restart: Callable[[Servers], Awaitable[None]]
) -> None:
    process = relay(servers)
    async with running(process):
        appending = asyncio.create_task(append_many(pool, 2_000))
        await asyncio.sleep(0.5)
        await restart(servers)
        await appending
        await drained(pool)
        assert process.exit_code is None, "it goes on by itself"
    await assert_published(servers)


async def test_what_does_not_pass_by_itself_ends_the_process(servers: Servers, pool: asyncpg.Pool) -> None:
    await append_many(pool, 1, at_once=1)
    settings = servers.settings("registry", clock="simulated", http_port=free_port())
    process = Process("registry", "relay", settings, servers.home.log("relay-misconfigured"))
    process.spawn()
    assert await process.exited(within=20) == EXIT_CODE
