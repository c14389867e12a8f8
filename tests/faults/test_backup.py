"""PostgreSQL is put back from a backup: the store forgets what the log knows, and writes other events in its place."""

import asyncio
import shutil
import signal
import subprocess
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import asyncpg
import httpx

from services.projections.rebuild import run as rebuild
from shared.events import envelope
from shared.events.topics import EVENT_TOPICS
from shared.runtime import ids
from shared.runtime.auth import Role
from tests.support import checker, rebuilding, topic
from tests.support.checker import Event
from tests.support.commands import command, ndjson, register
from tests.support.log import told
from tests.support.seeded import poison
from tests.support.servers import Servers
from tests.support.stack import Stack

PROCESSES = ("registry api", "registry relay", "projections", "gateway")
UNTOUCHED, LOST = 6, 8
"""Households about which nothing was lost, and those about which something was."""


def assess(household: str, *, living: bool) -> dict[str, Any]:
    needs = [{"dimension": "living", "in_need": living}, {"dimension": "health", "in_need": not living}]
    told = {"household": household, "occurred_on": "2019-02-01", "needs": needs}
    return command("AssessNeeds.v1", source="bmn-survey", interviewer="example-office", **told)


async def publish(stack: Stack, wishes: Sequence[dict[str, Any]]) -> None:
    headers = {"Authorization": f"Bearer {stack.token()}"}
    async with (
        httpx.AsyncClient(base_url=stack.gateway, headers=headers, timeout=30) as client,
        asyncio.timeout(60),
    ):
        while True:
            answer = await client.post("/v1/registry/commands/bulk", content=ndjson(list(wishes)))
            if '"problem"' not in answer.text and answer.status_code == httpx.codes.OK:
                return
            await asyncio.sleep(0.3)


async def eventually(holds: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(60):
        while not await holds():
            await asyncio.sleep(0.2)


async def all_arrived(servers: Servers) -> bool:
    """Whether the log has all of the store, and the projections all of the log."""
    connection = await asyncpg.connect(servers.admin_dsn)
    waiting = await connection.fetchval("SELECT count(*) FROM registry.outbox")
    await connection.close()
    if not waiting:
        await rebuilding.until_folded(servers)
    return not waiting


async def in_the_log(servers: Servers) -> list[Event]:
    """The first record of each version, as events."""
    found: dict[tuple[str, int], Event] = {}
    async for record in topic.records(servers, EVENT_TOPICS["registry"]):
        h, value = told(poison.of_consumed(record)), record.value or b""
        named = envelope.canonical([(name, text.decode()) for name, text in record.headers])
        version = int(h["ce_version"])
        of = Event(
            "registry", h["ce_subject"], version, h["ce_id"], h["ce_type"], h["ce_time"], named, value, h["ce_hash"]
        )
        found.setdefault((of.stream, version), of)
    return list(found.values())


async def test_a_store_put_back_forks_and_no_fork_is_folded(servers: Servers):
    stack = Stack(servers, only=PROCESSES)
    homes = [ids.new_id("hh") for _ in range(UNTOUCHED + LOST)]
    data, backup = servers.cluster.data, servers.cluster.folder / "backup"
    async with stack.running():
        await publish(stack, [register(household=home) for home in homes])
        await eventually(lambda: all_arrived(servers))
        await servers.stop_postgres()
        await asyncio.to_thread(subprocess.run, ["cp", "-a", data, backup], check=True)
        await servers.start_postgres()
        await publish(stack, [assess(home, living=True) for home in homes[UNTOUCHED:]])
        await eventually(lambda: all_arrived(servers))

        await servers.stop_postgres(signal.SIGQUIT)
        shutil.rmtree(data)
        backup.rename(data)
        await servers.start_postgres()
        await publish(stack, [assess(home, living=False) for home in homes])
        await publish(stack, [assess(home, living=True) for home in homes[-1:]])
        await eventually(lambda: all_arrived(servers))

        await assert_forks_stand_aside(servers, homes)
        await assert_it_is_told(stack)
    await checker.check_store(servers)


async def assert_forks_stand_aside(servers: Servers, homes: Sequence[str]) -> None:
    """The figures are those of what the log held first, live and rebuilt."""
    known = await in_the_log(servers)
    connection = await asyncpg.connect(servers.admin_dsn, server_settings={"search_path": "projections"})
    assert await checker.figures(connection) == checker.expected(known)
    facts = {tuple(row) for row in await connection.fetch("SELECT stream, version, hash FROM fact")}
    parked = await connection.fetch("SELECT key, version, reason FROM parked ORDER BY version, key")
    incomplete = {row["key"] for row in await connection.fetch("SELECT key FROM card WHERE incomplete")}
    await connection.close()
    assert facts == {(event.stream, event.version, event.hash) for event in known if event.version < 3}
    assert [(row["version"], row["reason"]) for row in parked] == [(2, "fork")] * LOST + [(3, "chain")]
    assert {row["key"] for row in parked} == incomplete == set(homes[UNTOUCHED:])
    assert (await rebuild.check(rebuilding.setting(servers, processes=1))).equal


async def assert_it_is_told(stack: Stack) -> None:
    headers = {"Authorization": f"Bearer {stack.token(Role.SECRETARIAT)}"}
    async with httpx.AsyncClient(headers=headers) as client:
        freshness = (await client.get(f"{stack.gateway}/v1/freshness")).json()
        worker = (await client.get(f"{stack.processes['projections'].url}/metrics")).text
        relay = (await client.get(f"{stack.processes['registry relay'].url}/metrics")).text
    assert freshness["trouble"] == {"quarantined": 0, "parked": LOST + 1, "incomplete_households": LOST}
    assert f'siao_projections_records_parked_total{{reason="fork"}} {LOST}.0' in worker
    assert f"siao_relay_unknown_records {LOST}.0" in relay
