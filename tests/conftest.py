"""Fixtures that every test may use."""

import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio

from tests.support.servers import Servers, running


@pytest_asyncio.fixture(scope="module")
async def servers() -> AsyncIterator[Servers]:
    """A real PostgreSQL and a real Kafka, started anew for each file of tests; see tests/support/servers.py."""
    # A folder of its own: pytest closes its common one to others whenever a second run begins, PostgreSQL's user too.
    with tempfile.TemporaryDirectory(prefix="siao-test-", ignore_cleanup_errors=True) as folder:
        async with running(Path(folder)) as started:
            yield started
