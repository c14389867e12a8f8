"""Fixtures of the tests of the gateway over tables that they fill by hand."""

import pytest_asyncio

from tests.support import gateway as g


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
