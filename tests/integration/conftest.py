"""Fixtures that several files of integration tests use."""

import asyncpg
import pytest_asyncio

from tests.support import gateway as g
from tests.support.commands import serving

# -- of the gateway over tables that a test fills by hand


@pytest_asyncio.fixture(scope="module")
async def stage(servers):
    async with g.tables(servers) as (tables, dsn), g.gateway(servers, dsn) as url:
        yield tables, url, dsn


@pytest_asyncio.fixture
async def tables(stage):
    await stage[0].clear()
    await stage[0].at(registry=10, pairing=5, interventions=7)
    await stage[0].mark()
    return stage[0]


@pytest_asyncio.fixture
async def client(servers, stage):
    async with g.client(stage[1], g.token(servers)) as client:
        yield client


# -- of commands, and what the registry's come to in its store


@pytest_asyncio.fixture(scope="module")
async def registry(servers):
    async with serving(servers, "registry") as client:
        yield client


@pytest_asyncio.fixture(scope="module")
async def pairing(servers):
    async with serving(servers, "pairing") as client:
        yield client


@pytest_asyncio.fixture(scope="module")
async def interventions(servers):
    async with serving(servers, "interventions") as client:
        yield client


@pytest_asyncio.fixture(scope="module")
async def store(servers):
    connection = await asyncpg.connect(servers.dsn("registry"))
    yield connection
    await connection.close()
