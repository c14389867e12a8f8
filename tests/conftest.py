"""Fixtures that every test may use."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.support.servers import Servers, running


@pytest_asyncio.fixture(scope="session")
async def servers(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Servers]:
    """A real PostgreSQL and a real Kafka, started once for the session; see tests/support/servers.py."""
    async with running(tmp_path_factory.mktemp("stack")) as started:
        yield started
