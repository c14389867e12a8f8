"""PostgreSQL is put back from a backup: the store forgets what the log knows, and writes other events in its place."""

import asyncio
import shutil
import signal
import subprocess
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
import httpx

from deploy.local.reconcile import reconcile
from services.projections.rebuild import run as rebuild
from shared.events import envelope
from shared.events.topics import EVENT_TOPICS, FOLLOWERS
from shared.runtime import ids
from shared.runtime.auth import Role
from shared.runtime.known_household import Household, mark
from tests.support import checker, following, rebuilding, topic
from tests.support.checker import Event
from tests.support.commands import command, ndjson, register
from tests.support.log import told
from tests.support.seeded import poison
from tests.support.servers import Servers
from tests.support.stack import Stack

PROCESSES = ("registry api", "registry relay", "pairing follower", "interventions follower", "projections", "gateway")
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
        for service in FOLLOWERS:
            await eventually(lambda service=service: followed_to_the_end(servers, service))
            await assert_followed_first(servers, service, homes)
        dsns = {service: servers.dsn(service) for service in ("registry", *FOLLOWERS)}
        assert await reconcile(dsns) == dict.fromkeys(FOLLOWERS, LOST)
        for service in FOLLOWERS:
            await eventually(lambda service=service: knows_the_store(servers, service))
            await eventually(lambda service=service: nothing_waits(servers, service))
        assert await reconcile(dsns) == dict.fromkeys(FOLLOWERS, 0)
        await publish(stack, [assess(home, living=False) for home in homes])
        for service in FOLLOWERS:
            await eventually(lambda service=service: knows_the_store(servers, service))
    await checker.check_store(servers)


async def aside(servers: Servers, service: str) -> dict[str, int]:
    """Reason -> how many records stand in a follower's quarantine for it."""
    async with connected(servers, service) as connection:
        rows = await connection.fetch("SELECT reason, count(*) FROM follower_quarantine GROUP BY 1")
    return dict(tuple(row) for row in rows)


async def nothing_waits(servers: Servers, service: str) -> bool:
    return not await aside(servers, service)


async def followed_to_the_end(servers: Servers, service: str) -> bool:
    return sum((await aside(servers, service)).values()) > LOST


async def assert_followed_first(servers: Servers, service: str, homes: Sequence[str]) -> None:
    """Of what forked, a follower goes on with what it was told first, as the projections do, and says so."""
    assert await aside(servers, service) == {"fork": LOST, "chain": 1}
    first = {event.stream: event for event in await in_the_log(servers) if event.version == 2}
    for home, known in (await known_by(servers, service)).items():
        assert known.mark(2) == mark(first[f"household-{home}"].hash)
        assert known.version == 2
    assert set(homes) == set(await known_by(servers, service))


async def knows_the_store(servers: Servers, service: str) -> bool:
    return await known_by(servers, service) == following.expected(await checker.stored_events(servers))


async def known_by(servers: Servers, service: str) -> dict[str, Household]:
    async with connected(servers, service) as connection:
        return await following.known(connection)


@asynccontextmanager
async def connected(servers: Servers, schema: str) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(servers.admin_dsn, server_settings={"search_path": schema})
    try:
        yield connection
    finally:
        await connection.close()


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
