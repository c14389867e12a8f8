"""Two households with a lead helper each are merged: pairing ends one lead pair, once, whatever is killed."""

import asyncio
import json
import os
import signal
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from datetime import date
from typing import Any

import asyncpg
import httpx
import pytest
import pytest_asyncio

from shared.events import envelope
from tests.support.commands import assign, command, enrol, merge, ndjson, register, serving, unmerge
from tests.support.following import followed
from tests.support.processes import Process, running
from tests.support.servers import Servers, free_port

SEED = os.environ.get("SIAO_TEST_SEED", "2563")

WAITS = "SELECT 1 FROM pg_stat_activity WHERE application_name = 'siao-pairing-follower' AND wait_event_type = 'Lock'"
LED = "SELECT count(*) FROM lead WHERE helper = $1 AND until IS NULL"


class World:
    """Registry with its relay, pairing, and who follows."""

    def __init__(
        self, servers: Servers, registry: httpx.AsyncClient, pairing: httpx.AsyncClient, stores: dict[str, asyncpg.Pool]
    ) -> None:
        self.servers, self.registry, self.pairing, self.stores = servers, registry, pairing, stores

    def follower(self, **environment: str) -> Process:
        settings = self.servers.settings("pairing", http_port=free_port())
        return Process("pairing", "follower", settings, self.servers.home.log("follower"), **environment)

    async def caught_up(self) -> None:
        await followed(self.stores["registry"], self.stores["pairing"])

    async def subjects(self, client: httpx.AsyncClient, wishes: list[dict[str, Any]]) -> list[str]:
        answer = await client.post("/commands/bulk", content=ndjson(wishes))
        lines = [json.loads(line) for line in answer.text.splitlines()]
        assert {line["status"] for line in lines} == {201}, lines
        return [line["receipt"]["subject"] for line in lines]

    async def led(self, count: int) -> tuple[list[str], list[str]]:
        """Households, and who leads each."""
        homes = await self.subjects(self.registry, [register() for _ in range(count)])
        helpers = await self.subjects(self.pairing, [enrol() for _ in range(count)])
        await self.caught_up()
        await self.subjects(self.pairing, [assign(*pair) for pair in zip(homes, helpers, strict=True)])
        return homes, helpers

    async def merge(self, *pairs: tuple[str, str]) -> list[str]:
        """The ids of the mergers' events."""
        ids = []
        for one, other in pairs:
            answer = await self.registry.post("/commands", json=merge(one, other))
            assert answer.status_code == 201, answer.text
            ids.append(answer.json()["events"][0]["id"])
        return ids

    async def events(self, household: str) -> list[tuple[str, dict[str, Any], dict[str, str]]]:
        """(type, data, headers) of its pairing stream."""
        rows = await self.stores["pairing"].fetch(
            "SELECT * FROM event WHERE stream = $1 ORDER BY version", f"pairing-{household}"
        )
        return [(r["type"], json.loads(r["value"]), dict(envelope.split(r["headers"]))) for r in rows]

    async def assigned(self, household: str, helper: str, pause: float) -> int:
        """The status of the answer to what is asked a moment later."""
        await asyncio.sleep(pause)
        return (await self.pairing.post("/commands", json=assign(household, helper))).status_code

    async def load(self, helper: str) -> int:
        return int(await self.stores["pairing"].fetchval(LED, helper))


@pytest_asyncio.fixture(scope="module")
async def world(servers: Servers) -> AsyncIterator[World]:
    settings = servers.settings("registry", http_port=free_port())
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(running(Process("registry", "relay", settings, servers.home.log("relay"))))
        clients = {name: await stack.enter_async_context(serving(servers, name)) for name in ("registry", "pairing")}
        stores = {
            name: await stack.enter_async_context(asyncpg.create_pool(servers.dsn(name), min_size=1, max_size=2))
            for name in clients
        }
        yield World(servers, clients["registry"], clients["pairing"], stores)


async def test_the_lead_pair_of_the_merged_one_ends_and_its_helper_is_free(world: World) -> None:
    async with running(world.follower()):
        (one, other), (first, second) = await world.led(2)
        [merger] = await world.merge((one, other))
        await world.caught_up()
        assigned, ended = await world.events(one)
        assert (assigned[0], ended[0]) == ("PairAssigned.v1", "PairEnded.v1")
        assert ended[1] == {
            "occurred_on": "2020-02-03",
            "household": one,
            "helper": first,
            "role": "lead",
            "reason": "household-merged",
        }
        assert ended[2]["ce_causationid"] == merger
        assert [kind for kind, _, _ in await world.events(other)] == ["PairAssigned.v1"]
        assert (await world.load(first), await world.load(second)) == (0, 1)
        assert await world.stores["pairing"].fetchval("SELECT count(*) FROM outbox JOIN event USING (seq)") > 0

        undone = await world.registry.post("/commands", json=unmerge(one, other))
        assert undone.status_code == 201
        await world.caught_up()
        assert len(await world.events(one)) == 2, "undoing a merger does not bring the pair back"
        [again] = await world.subjects(world.pairing, [assign(one, first, occurred_on="2020-02-03")])
        assert again == one


async def test_where_only_the_merged_one_has_a_lead_its_helper_goes_on(world: World) -> None:
    async with running(world.follower()):
        (one, third), (first, _) = await world.led(2)
        [other] = await world.subjects(world.registry, [register()])
        await world.merge((one, other))
        await world.caught_up()
        assert [kind for kind, _, _ in await world.events(one)] == ["PairAssigned.v1"]
        assert await world.load(first) == 1
        [helper] = await world.subjects(world.pairing, [enrol()])
        refused = (await world.pairing.post("/commands", json=assign(other, helper))).json()
        assert refused["code"] == "household_already_paired"
        refused = (await world.pairing.post("/commands", json=assign(one, helper))).json()
        assert (refused["code"], refused["household"]) == ("household_merged", other)

        await world.merge((third, other))
        await world.caught_up()
        assert len(await world.events(third)) == 2, "the household that remains is led through the first"
        end = command("EndPair.v1", household=one, helper=first, occurred_on="2020-02-03", reason="helper-retired")
        assert (await world.pairing.post("/commands", json=end)).status_code == 201
        assert (await world.pairing.post("/commands", json=assign(other, helper))).status_code == 201


async def test_nobody_goes_on_with_a_household_that_had_exited(world: World) -> None:
    async with running(world.follower()):
        (one, later), (first, second) = await world.led(2)
        [supporter] = await world.subjects(world.pairing, [enrol()])
        await world.subjects(world.pairing, [assign(one, supporter, role="supporting")])
        gone, leaving = await world.subjects(world.registry, [register(), register()])
        await world.stores["pairing"].executemany(
            "INSERT INTO exited (household, exit, version, day) VALUES ($1, 'ex_1', 1, $2)",
            [(gone, date(2020, 1, 20)), (leaving, date(2020, 2, 4))],
        )
        await world.merge((one, gone), (later, leaving))
        await world.caught_up()
    assert [kind for kind, _, _ in await world.events(one)] == ["PairAssigned.v1"] * 2 + ["PairEnded.v1"] * 2
    assert {data["occurred_on"] for _, data, _ in (await world.events(one))[2:]} == {"2020-02-03"}
    assert (await world.load(first), await world.load(second)) == (0, 1), "the other exits after the merger"


async def test_all_that_was_merged_before_goes_along(world: World) -> None:
    async with running(world.follower()):
        (one, last), (first, _) = await world.led(2)
        [between] = await world.subjects(world.registry, [register()])
        await world.merge((one, between), (between, last))
        await world.caught_up()
        assert [data["reason"] for _, data, _ in (await world.events(one))[1:]] == ["household-merged"]
        assert await world.load(first) == 0


async def test_a_pair_younger_than_the_merger_ends_on_the_day_it_began(world: World) -> None:
    async with running(world.follower()):
        (one, other), _ = await world.led(2)
        answer = await world.registry.post("/commands", json=merge(one, other, occurred_on="2019-09-25"))
        assert answer.status_code == 201
        await world.caught_up()
        assert [data["occurred_on"] for _, data, _ in await world.events(one)] == ["2019-10-01", "2019-10-01"]


@pytest.mark.parametrize("step", ["before_commit", "after_commit"])
async def test_killed_at_each_step_it_happens_once(world: World, step: str) -> None:
    async with running(world.follower()):
        homes, helpers = await world.led(24)
    pairs = list(zip(homes[::2], homes[1::2], strict=True))
    mergers: list[str] = []
    for some in (pairs[:4], pairs[4:8], pairs[8:]):
        mergers += await world.merge(*some)
        killed = world.follower(SIAO_FAILPOINTS=f"{SEED}:follower.{step}=1")
        killed.spawn()
        assert await killed.exited() == -signal.SIGKILL
    async with running(world.follower()):
        await world.caught_up()
    for (one, other), merger in zip(pairs, mergers, strict=True):
        assert [kind for kind, _, _ in await world.events(other)] == ["PairAssigned.v1"]
        _, ended = await world.events(one)
        assert ended[2]["ce_causationid"] == merger
    assert [await world.load(helper) for helper in helpers] == [0, 1] * 12


async def test_the_helper_of_one_merger_is_not_held_while_another_waits(world: World) -> None:
    """A desk that has a stream of the second, and will ask for the helper of the first."""
    async with running(world.follower()):
        homes, (helper, *_) = await world.led(4)
    await world.merge((homes[0], homes[1]), (homes[2], homes[3]))
    async with asyncio.timeout(60):
        while await world.stores["registry"].fetchval("SELECT count(*) FROM outbox"):
            await asyncio.sleep(0.05)
    follower, pairing = world.follower(), world.stores["pairing"]
    async with pairing.acquire() as desk, asyncio.timeout(60):
        async with desk.transaction():
            await desk.execute("SELECT FROM head WHERE stream = $1 FOR UPDATE", f"pairing-{homes[2]}")
            follower.spawn()
            while not await pairing.fetchval(WAITS):  # the desk's transaction would see it as it was
                await asyncio.sleep(0.05)
            await desk.execute("SELECT FROM helper WHERE helper = $1 FOR UPDATE NOWAIT", helper)
        await world.caught_up()
    await follower.end()
    assert [len(await world.events(home)) for home in homes] == [2, 1, 2, 1]


async def test_a_pair_assigned_while_the_merger_is_noted_leaves_one_lead(world: World) -> None:
    """Both leads are there before the merger, or the second is refused: never two at the end."""
    async with running(world.follower()):
        for n in range(8):
            (one,), _ = await world.led(1)
            [other] = await world.subjects(world.registry, [register()])
            await world.caught_up()
            [helper] = await world.subjects(world.pairing, [enrol()])
            status, _ = await asyncio.gather(world.assigned(other, helper, n * 0.02), world.merge((one, other)))
            await world.caught_up()
            leads = await world.stores["pairing"].fetch(
                "SELECT household FROM lead WHERE household = ANY($1) AND until IS NULL", [one, other]
            )
            assert [row["household"] for row in leads] == [other if status == 201 else one]
