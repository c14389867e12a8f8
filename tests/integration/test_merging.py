"""Two streams in one transaction on the real store: both ends of a merger are there, or neither."""

import asyncio
import json
from collections.abc import AsyncIterator

import asyncpg
import httpx
import pytest
import pytest_asyncio

from shared.events import envelope
from tests.support.commands import merge, ndjson, register, serving, unmerge
from tests.support.servers import Servers


@pytest_asyncio.fixture(scope="module")
async def registry(servers: Servers) -> AsyncIterator[httpx.AsyncClient]:
    async with serving(servers, "registry") as client:
        yield client


@pytest_asyncio.fixture(scope="module")
async def store(servers: Servers) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(servers.dsn("registry"))
    yield connection
    await connection.close()


async def homes(registry: httpx.AsyncClient, count: int = 2) -> list[str]:
    answer = await registry.post("/commands/bulk", content=ndjson([register() for _ in range(count)]))
    return [json.loads(line)["receipt"]["subject"] for line in answer.text.splitlines()]


async def types(store: asyncpg.Connection, household: str) -> list[str]:
    rows = await store.fetch(
        "SELECT type, value FROM event WHERE stream = $1 ORDER BY version", f"household-{household}"
    )
    return [row["type"].partition(".")[0] for row in rows]


async def test_a_merger_and_its_undoing_stand_in_both_streams(
    registry: httpx.AsyncClient, store: asyncpg.Connection
) -> None:
    one, other = await homes(registry)
    merged = await registry.post("/commands", json=merge(one, other))
    assert merged.status_code == 201
    assert merged.headers["Siao-Version"] == f"household-{one}@2,household-{other}@2"
    assert merged.json()["subject"] == one
    undone = await registry.post("/commands", json=unmerge(one, other))
    assert undone.headers["Siao-Version"] == f"household-{one}@3,household-{other}@3"
    assert await types(store, one) == ["HouseholdRegistered", "HouseholdMerged", "HouseholdUnmerged"]
    assert await types(store, other) == ["HouseholdRegistered", "HouseholdAbsorbed", "HouseholdReleased"]


async def test_each_stream_keeps_its_own_chain(registry: httpx.AsyncClient, store: asyncpg.Connection) -> None:
    one, other = await homes(registry)
    await registry.post("/commands", json=merge(one, other))
    for household in (one, other):
        first, second = await store.fetch(
            "SELECT headers, value, hash FROM event WHERE stream = $1 ORDER BY version", f"household-{household}"
        )
        assert dict(envelope.split(second["headers"]))["ce_prevhash"] == first["hash"]
        assert envelope.chain_hash(second["headers"], second["value"]) == second["hash"]


async def test_a_refused_merger_leaves_neither_end(registry: httpx.AsyncClient, store: asyncpg.Connection) -> None:
    [one] = await homes(registry, 1)
    refused = (await registry.post("/commands", json=merge(one, "hh_" + "0" * 20))).json()
    assert (refused["code"], refused["field"], refused["retryable"]) == ("household_unknown", "data.into", True)
    assert await types(store, one) == ["HouseholdRegistered"]


@pytest.mark.parametrize("round_", range(5))
async def test_of_two_racing_mergers_one_wins_and_none_is_half_there(
    servers: Servers, registry: httpx.AsyncClient, store: asyncpg.Connection, round_: int
) -> None:
    """Into each other, through two desks."""
    one, other = await homes(registry)
    async with serving(servers, "registry") as second:
        answers = await asyncio.gather(
            registry.post("/commands", json=merge(one, other)), second.post("/commands", json=merge(other, one))
        )
    assert sorted(answer.status_code for answer in answers) == [201, 409]
    [refused] = [answer.json() for answer in answers if answer.status_code == 409]
    assert refused["code"] == "household_merged"
    ends = sorted([await types(store, one), await types(store, other)])
    assert ends == [["HouseholdRegistered", "HouseholdAbsorbed"], ["HouseholdRegistered", "HouseholdMerged"]]


async def test_a_ring_of_racing_mergers_never_closes(
    servers: Servers, registry: httpx.AsyncClient, store: asyncpg.Connection
) -> None:
    """Twelve households, each merged into the next, the last into the first, through two desks at once."""
    ring = await homes(registry, 12)
    async with serving(servers, "registry") as second:
        desks = [registry, second]
        answers = await asyncio.gather(
            *(desks[i % 2].post("/commands", json=merge(one, ring[(i + 1) % len(ring)])) for i, one in enumerate(ring))
        )
    accepted = sum(answer.status_code == 201 for answer in answers)
    assert {answer.status_code for answer in answers} <= {201, 409}
    assert 1 <= accepted < len(ring)
    told = [name for household in ring for name in await types(store, household)]
    assert (told.count("HouseholdMerged"), told.count("HouseholdAbsorbed")) == (accepted, accepted)


async def test_one_bulk_may_build_on_its_own_mergers(registry: httpx.AsyncClient) -> None:
    one, other, third = await homes(registry, 3)
    body = ndjson([merge(one, other), merge(other, third), merge(one, third), unmerge(one, other), merge(one, third)])
    answer = await registry.post("/commands/bulk", content=body)
    assert [json.loads(line)["status"] for line in answer.text.splitlines()] == [201, 201, 409, 201, 201]
