"""The follower on the real servers: what pairing knows of households is what the registry published, once."""

from collections.abc import AsyncIterator

import asyncpg
import pytest_asyncio

from tests.support.appending import append_many
from tests.support.following import followed
from tests.support.processes import Process, running
from tests.support.servers import Servers, free_port


@pytest_asyncio.fixture
async def registry(servers: Servers) -> AsyncIterator[asyncpg.Pool]:
    async with asyncpg.create_pool(servers.dsn("registry"), min_size=2, max_size=8) as made:
        yield made


@pytest_asyncio.fixture
async def pairing(servers: Servers) -> AsyncIterator[asyncpg.Pool]:
    async with asyncpg.create_pool(servers.dsn("pairing"), min_size=1, max_size=2) as made:
        yield made


def process(servers: Servers, service: str, part: str) -> Process:
    settings = servers.settings(service, http_port=free_port())
    return Process(service, part, settings, servers.home.log(f"{service}-{part}"))


async def test_it_knows_each_household_and_how_far_it_has_read(
    servers: Servers, registry: asyncpg.Pool, pairing: asyncpg.Pool
) -> None:
    first, second = process(servers, "pairing", "follower"), process(servers, "pairing", "follower")
    async with running(process(servers, "registry", "relay"), first):
        await append_many(registry, 500, at_once=4)
        await followed(registry, pairing)
        async with running(second):
            await first.end()
            await append_many(registry, 500, at_once=4, seed=1)
            await followed(registry, pairing)
    homes = await pairing.fetch("SELECT DISTINCT homes::text FROM known_household")
    assert [row["homes"] for row in homes] == ['[[1, "2019-10-01", "40190101"]]']
