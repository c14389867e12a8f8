"""A household exits the programme: pairing ends its pairs on that day, once, whatever is killed."""

import asyncio
import json
import os
import signal
import uuid
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import replace
from typing import Any

import asyncpg
import httpx
import pytest
import pytest_asyncio

from shared.events import envelope
from shared.events.topics import EVENT_TOPICS
from shared.runtime import ids, quarantine
from tests.support import topic
from tests.support.commands import AGENCY, assign, command, enrol, ndjson, serving, tell_of_household
from tests.support.log import Record
from tests.support.processes import Process, running
from tests.support.seeded import poison
from tests.support.servers import Servers, free_port

SEED = os.environ.get("SIAO_TEST_SEED", "2563")
DAY, NEXT = "2020-02-03", "2020-02-04"
LED = "SELECT count(*) FROM lead WHERE helper = $1 AND until IS NULL"


class World:
    """Interventions with its relay, pairing, and who follows. Both know the households without a registry."""

    def __init__(
        self,
        servers: Servers,
        clients: dict[str, httpx.AsyncClient],
        stores: dict[str, asyncpg.Pool],
    ) -> None:
        self.servers, self.clients, self.stores = servers, clients, stores

    def follower(self, **environment: str) -> Process:
        settings = self.servers.settings("pairing", http_port=free_port())
        return Process("pairing", "follower", settings, self.servers.home.log("follower"), **environment)

    async def told(self, service: str, *wishes: dict[str, Any]) -> list[dict[str, Any]]:
        """The receipts."""
        answer = await self.clients[service].post("/commands/bulk", content=ndjson(list(wishes)))
        lines = [json.loads(line) for line in answer.text.splitlines()]
        assert {line["status"] for line in lines} == {201}, lines
        return [line["receipt"] for line in lines]

    async def homes(self, count: int) -> list[str]:
        homes = [await tell_of_household(self.servers, "pairing") for _ in range(count)]
        await self.stores["interventions"].executemany(
            "INSERT INTO known_household (household, version, homes) VALUES ($1, 1, $2)",
            [(home, json.dumps([[1, "2019-01-15", "40190101"]])) for home in homes],
        )
        return homes

    async def helpers(self, count: int) -> list[str]:
        return [receipt["subject"] for receipt in await self.told("pairing", *(enrol() for _ in range(count)))]

    async def exited(self, *homes: str, day: str = DAY) -> list[str]:
        """The ids of the exits' events."""
        receipts = await self.told("interventions", *(leave(home, day) for home in homes))
        return [receipt["events"][0]["id"] for receipt in receipts]

    async def answered(self, *exits: str) -> None:
        """Until pairing has seen them. Raises TimeoutError."""
        async with asyncio.timeout(60):
            while await self.stores["pairing"].fetchval(
                "SELECT count(*) FROM exit_seen WHERE event = ANY($1::uuid[])", exits
            ) < len(exits):
                await asyncio.sleep(0.05)

    async def events(self, household: str) -> list[tuple[str, dict[str, Any], dict[str, str]]]:
        """(type, data, headers) of its pairing stream."""
        rows = await self.stores["pairing"].fetch(
            "SELECT * FROM event WHERE stream = $1 ORDER BY version", f"pairing-{household}"
        )
        return [(r["type"], json.loads(r["value"]), dict(envelope.split(r["headers"]))) for r in rows]

    async def published(self, home: str) -> Record:
        """Its only exit, as it stands in the log."""
        every = topic.records(self.servers, EVENT_TOPICS["interventions"])
        [found] = [poison.of_consumed(one) async for one in every if one.key == home.encode()]
        return found

    async def set_aside(self) -> set[str]:
        """Why, of all that was."""
        rows = await self.stores["pairing"].fetch("SELECT reason FROM follower_quarantine")
        return {row["reason"] for row in rows}

    async def load(self, helper: str) -> int:
        return int(await self.stores["pairing"].fetchval(LED, helper))


def leave(home: str, day: str = DAY) -> dict[str, Any]:
    verified = dict.fromkeys(("community", "subdistrict", "district"), "2019-01-20")
    told = {"household": home, "exit": ids.new_id("ex"), "reason": "moved-away", "occurred_on": day}
    return command("ExitCase.v1", **told, verified=verified)


@pytest_asyncio.fixture(scope="module")
async def world(servers: Servers) -> AsyncIterator[World]:
    settings = servers.settings("interventions", http_port=free_port())
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(running(Process("interventions", "relay", settings, servers.home.log("relay"))))
        names = ("interventions", "pairing")
        clients = {name: await stack.enter_async_context(serving(servers, name)) for name in names}
        stores = {
            name: await stack.enter_async_context(asyncpg.create_pool(servers.dsn(name), min_size=1, max_size=2))
            for name in names
        }
        yield World(servers, clients, stores)


async def test_all_pairs_that_hold_on_the_day_end_and_the_helpers_are_free(world: World) -> None:
    [home], (lead, supporter) = await world.homes(1), await world.helpers(2)
    await world.told("pairing", assign(home, lead), assign(home, supporter, role="supporting"))
    async with running(world.follower()):
        [exit_] = await world.exited(home)
        await world.answered(exit_)
        events = await world.events(home)
        assert [kind for kind, _, _ in events] == ["PairAssigned.v1"] * 2 + ["PairEnded.v1"] * 2
        own = {"occurred_on": DAY, "household": home, "reason": "household-exited"}
        roles = ((lead, "lead"), (supporter, "supporting"))
        assert sorted((data for _, data, _ in events[2:]), key=lambda data: data["role"]) == [
            {**own, "helper": helper, "role": role} for helper, role in roles
        ]
        assert {headers["ce_causationid"] for _, _, headers in events[2:]} == {exit_}
        assert await world.load(lead) == 0
        refused = (await world.clients["pairing"].post("/commands", json=assign(home, lead, occurred_on=DAY))).json()
        assert (refused["code"], refused["field"], refused["day"]) == ("household_exited", "data.occurred_on", DAY)
        [again] = await world.told("pairing", assign(home, lead, occurred_on=NEXT))
        assert again["subject"] == home, "who finds it in the programme again pairs it again"


async def test_a_pair_from_a_later_day_on_lasts_and_one_that_ended_stays_as_it_is(world: World) -> None:
    (early, paired, parted), (first, second) = await world.homes(3), await world.helpers(2)
    await world.told("pairing", assign(early, first), assign(paired, second), assign(parted, second))
    end = {"household": parted, "helper": second, "occurred_on": "2020-01-01", "reason": "household-asked"}
    await world.told("pairing", command("EndPair.v1", **end))
    async with running(world.follower()):
        await world.answered(*await world.exited(early, day="2019-09-30"), *await world.exited(parted))
    for home, kinds in ((early, 1), (paired, 1), (parted, 2)):
        assert len(await world.events(home)) == kinds
    assert await world.load(first) == 1


async def test_a_pair_of_what_was_merged_into_the_household_ends_too(world: World) -> None:
    (part, whole), [helper] = await world.homes(2), await world.helpers(1)
    await world.told("pairing", assign(part, helper))
    await world.stores["pairing"].execute(
        "UPDATE known_household SET merged_into = $2 WHERE household = $1", part, whole
    )
    async with running(world.follower()):
        await world.answered(*await world.exited(whole))
    assert [kind for kind, _, _ in await world.events(part)] == ["PairAssigned.v1", "PairEnded.v1"]
    assert await world.load(helper) == 0


async def test_an_exit_that_comes_again_ends_no_pair_assigned_since(world: World) -> None:
    [home], (first, second) = await world.homes(1), await world.helpers(2)
    await world.told("pairing", assign(home, first))
    async with running(world.follower()):
        [exit_] = await world.exited(home)
        await world.answered(exit_)
        await world.told("pairing", assign(home, second, occurred_on=NEXT))
        await poison.put(world.servers, [("again", await world.published(home))])
        await world.answered(*await world.exited(home, day="2019-09-01"))  # in the same partition, behind it
    assert len(await world.events(home)) == 3
    assert await world.load(second) == 1


async def test_what_cannot_be_believed_ends_nothing_and_is_set_aside(world: World) -> None:
    [home, other], [helper] = await world.homes(2), await world.helpers(1)
    await world.told("pairing", assign(other, helper))
    [exit_] = await world.exited(home)
    async with running(world.follower()):
        await world.answered(exit_)
        true = poison.header(await world.published(home), "ce_id", str(uuid.uuid4()).encode())
        lies = {
            "headers: ce_source": poison.header(true, "ce_source", b"/siao/registry"),
            "in another place of the log": poison.header(true, "ce_subject", f"case-{other}".encode()),
            "of another kind of stream": poison.header(true, "ce_subject", f"pairing-{home}".encode()),
            "the hash does not fit": replace(true, value=b"{}"),
            "of another household": poison.data((true.value or b"").replace(home.encode(), other.encode()))(true),
            "missing": poison.data(b"{}")(true),
        }
        await poison.put(world.servers, lies.items())
        async with asyncio.timeout(60):
            while not lies.keys() <= await world.set_aside():
                await asyncio.sleep(0.05)
    assert len(await world.events(other)) == 1
    rows = await world.stores["pairing"].fetch("SELECT reason FROM follower_quarantine WHERE household IS NOT NULL")
    assert {row["reason"] for row in rows} == {"of another household", "missing"}, "another program may read them"


async def test_an_exit_whose_pair_could_not_end_is_looked_at_again_when_the_follower_begins(world: World) -> None:
    [home], [helper] = await world.homes(1), await world.helpers(1)
    await world.told("pairing", assign(home, helper))
    [exit_] = await world.exited(home)
    store, name = world.stores["pairing"], f"exited-{exit_}-{home}-{helper}"
    await store.execute(
        "INSERT INTO receipt (agency, command_id, body_digest, answer) VALUES ($1, $2, '', '')", AGENCY, name
    )
    why, waiting = "pairs did not end: command_id_reused", "SELECT 1 FROM follower_quarantine WHERE reason = $1"
    async with running(world.follower()), asyncio.timeout(60):
        while why not in await world.set_aside():
            await asyncio.sleep(0.05)
    assert await store.fetchval("SELECT count(*) FROM exit_seen WHERE event = $1", exit_) == 0
    admin = await asyncpg.connect(world.servers.admin_dsn)
    await admin.execute("UPDATE pairing.follower_quarantine SET expires_at = now()")
    await admin.execute("DELETE FROM pairing.receipt WHERE command_id = $1", name)
    await admin.close()
    await quarantine.expire(store)
    assert await store.fetchval(waiting, why) == 1
    async with running(world.follower()):
        await world.answered(exit_)
    assert [data.get("reason") for _, data, _ in await world.events(home)] == [None, "household-exited"]
    assert await store.fetchval(waiting, why) is None


@pytest.mark.parametrize("step", ["before_commit", "after_commit"])
async def test_killed_at_each_step_it_happens_once(world: World, step: str) -> None:
    homes, helpers = await world.homes(12), await world.helpers(12)
    await world.told("pairing", *(assign(*pair) for pair in zip(homes, helpers, strict=True)))
    exits: list[str] = []
    for some in (homes[:4], homes[4:]):
        exits += await world.exited(*some)
        killed = world.follower(SIAO_FAILPOINTS=f"{SEED}:follower.{step}=1")
        killed.spawn()
        assert await killed.exited() == -signal.SIGKILL
    async with running(world.follower()):
        await world.answered(*exits)
    for home, exit_ in zip(homes, exits, strict=True):
        _, ended = await world.events(home)
        assert (ended[1]["reason"], ended[2]["ce_causationid"]) == ("household-exited", exit_)
    assert [await world.load(helper) for helper in helpers] == [0] * 12
