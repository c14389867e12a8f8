"""Fixtures that every test may use."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from hypothesis import settings

from tests.support.pool import Pool
from tests.support.servers import Servers

settings.register_profile("siao", deadline=None)
settings.load_profile("siao")  # a busy machine is no failure


@pytest_asyncio.fixture(scope="session")
async def pool_of_servers(request: pytest.FixtureRequest) -> AsyncIterator[Pool]:
    using = {item.path for item in request.session.items if "servers" in getattr(item, "fixturenames", ())}
    made = Pool(len(using))
    yield made
    await made.close()


@pytest_asyncio.fixture(scope="module")
async def servers(pool_of_servers: Pool) -> AsyncIterator[Servers]:
    """A real PostgreSQL and a real Kafka, anew for each file of tests; see tests/support/servers.py."""
    async with pool_of_servers.taken() as started:
        yield started
