"""The disk of the store is full: commands are refused, nothing is half written, and it goes on when there is room."""

import asyncio
import os
import shutil
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import pytest
import pytest_asyncio

from tests.support.checker import check_store
from tests.support.commands import register, serving
from tests.support.servers import Servers

SIZE = "1m"


def mount(*arguments: str) -> None:
    subprocess.run(["mount", *arguments], check=True, capture_output=True)


@pytest_asyncio.fixture
async def small(servers: Servers) -> AsyncIterator[Path]:
    """The registry's events on a file system of one megabyte."""
    place = servers.cluster.folder / "small"
    place.mkdir()
    try:
        mount("-t", "tmpfs", "-o", f"size={SIZE}", "siao", str(place))
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("no file system can be mounted here")
    if servers.cluster.user:
        os.chown(place, servers.cluster.user.pw_uid, servers.cluster.user.pw_gid)
    connection = await asyncpg.connect(servers.admin_dsn)
    await connection.execute(f"CREATE TABLESPACE small LOCATION '{place}'")
    await connection.execute("ALTER TABLE registry.event SET TABLESPACE small")
    yield place
    await connection.execute("ALTER TABLE registry.event SET TABLESPACE pg_default")
    await connection.execute("DROP TABLESPACE small")
    await connection.close()
    await asyncio.to_thread(subprocess.run, ["umount", str(place)], check=True)
    shutil.rmtree(place)


async def test_a_full_disk_refuses_commands_and_keeps_what_it_took(servers: Servers, small: Path):
    accepted: list[str] = []
    async with serving(servers, "registry") as client:
        for _ in range(1_000):
            wishes = [register(members=[{"relation": "child"}] * 30) for _ in range(20)]
            answers = await asyncio.gather(*(client.post("/commands", json=wish) for wish in wishes))
            accepted += [a.json()["events"][0]["id"] for a in answers if a.status_code == 201]
            refused = [(wish, a) for wish, a in zip(wishes, answers, strict=True) if a.status_code != 201]
            if refused:
                break
        assert {(a.status_code, a.json()["code"], a.json()["retryable"]) for _, a in refused} == {
            (503, "unavailable", True)
        }
        await assert_nothing_half(servers, accepted)
        mount("-o", "remount,size=64m", str(small))
        again = [await client.post("/commands", json=wish) for wish, _ in refused]
        assert {a.status_code for a in again} == {201}
        await assert_nothing_half(servers, accepted + [a.json()["events"][0]["id"] for a in again])


async def assert_nothing_half(servers: Servers, accepted: list[str]) -> None:
    events = await check_store(servers, accepted)
    assert len(events) == len(accepted)
    connection = await asyncpg.connect(servers.admin_dsn)
    for table in "receipt", "outbox", "head":
        assert await connection.fetchval(f"SELECT count(*) FROM registry.{table}") == len(accepted)
    await connection.close()
