"""Somebody drops the projections' schema while commands come in: everything comes right by itself."""

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
import httpx
import pytest

from deploy.local.mender import Mender
from deploy.local.provision import provision_postgres
from shared.runtime import ids
from shared.runtime.auth import Role
from tests.support import checker, rebuilding
from tests.support.commands import command, ndjson, register
from tests.support.servers import Servers
from tests.support.stack import Stack

PROCESSES = ("registry api", "registry relay", "pairing relay", "interventions relay", "projections", "gateway")
AT_ONCE = 20
SECONDS = 150
"""To come right: the worker folds everything from the beginning."""


def assess(household: str) -> dict[str, Any]:
    needs = [{"dimension": "living", "in_need": True}]
    told = {"household": household, "occurred_on": "2019-02-01", "needs": needs, "source": "bmn-survey"}
    return command("AssessNeeds.v1", interviewer="example-office", **told)


class Load:
    """Three callers: an agency that sends files, one that is limited to a district, and somebody who reads."""

    def __init__(self, stack: Stack) -> None:
        self._stack = stack
        self.events: list[str] = []
        """Acknowledged, by their ids."""
        self.lines: set[int] = set()
        """Statuses of the agency's commands."""
        self.limited: list[tuple[int, dict[str, Any]]] = []
        """Answers to the limited caller's."""
        self.read: list[tuple[int, dict[str, Any]]] = []

    def _client(self, role: Role, *districts: str) -> httpx.AsyncClient:
        headers = {"Authorization": f"Bearer {self._stack.token(role, districts=districts)}"}
        return httpx.AsyncClient(base_url=self._stack.gateway, headers=headers, timeout=60)

    async def write(self) -> None:
        async with self._client(Role.AGENCY) as client:
            while True:
                homes = [ids.new_id("hh") for _ in range(AT_ONCE)]
                wishes = [register(household=home) for home in homes] + [assess(home) for home in homes]
                answer = await client.post("/v1/registry/commands/bulk", content=ndjson(wishes))
                told = [json.loads(line) for line in answer.text.splitlines()]
                self.lines |= {line["status"] for line in told}
                self.events += [event["id"] for line in told for event in line["receipt"]["events"]]

    async def write_limited(self, home: str) -> None:
        async with self._client(Role.OFFICER, "4019") as client:
            while True:
                answer = await client.post("/v1/registry/commands", json=assess(home))
                self.limited.append((answer.status_code, answer.json()))
                await asyncio.sleep(0.2)

    async def ask(self) -> None:
        async with self._client(Role.SECRETARIAT) as client:
            while True:
                answer = await client.get("/v1/coverage")
                self.read.append((answer.status_code, answer.json()))
                await asyncio.sleep(0.1)


@asynccontextmanager
async def going_on(*works: Any) -> AsyncIterator[Sequence[asyncio.Task[None]]]:
    tasks = [asyncio.create_task(work) for work in works]
    try:
        yield tasks
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)


async def mend(servers: Servers, times: list[bool]) -> None:
    """As the launcher does it beside its supervisor."""
    dsn = servers.cluster.dsn()
    mender = Mender(dsn, lambda: provision_postgres(dsn, servers.home.secrets, ours=True))
    try:
        while True:
            times += [True] * await mender.look()
            await asyncio.sleep(1)
    finally:
        await mender.close()


async def drop(servers: Servers, again: str) -> None:
    connection = await asyncpg.connect(servers.admin_dsn)
    while True:
        try:
            await connection.execute(f"DROP SCHEMA projections CASCADE; {again}")
        except asyncpg.DeadlockDetectedError:
            continue
        break
    await connection.close()


@pytest.mark.parametrize("again", ["", "CREATE SCHEMA projections"], ids=["gone", "empty"])
async def test_it_is_made_again_and_filled_while_commands_are_taken(servers: Servers, again: str) -> None:
    stack, mended = Stack(servers, only=PROCESSES), list[bool]()
    load, home = Load(stack), ids.new_id("hh")
    async with stack.running(), going_on(mend(servers, mended)):
        async with httpx.AsyncClient(headers={"Authorization": f"Bearer {stack.token()}"}) as client:
            await client.post(f"{stack.gateway}/v1/registry/commands", json=register(household=home))
        async with going_on(load.write(), load.write_limited(home), load.ask()) as callers:
            await until(lambda: load.read and load.read[-1][1].get("stale") is False)
            await until(lambda: load.limited and load.limited[-1][0] < httpx.codes.BAD_REQUEST)
            before, limited = len(load.read), len(load.limited)
            await drop(servers, again)
            await until(lambda: mended and [1 for status, _ in load.read[before:] if status != httpx.codes.OK])
            await until(lambda: load.read[-1][1].get("stale") is False)
            await until(lambda: load.limited[-1][0] < httpx.codes.BAD_REQUEST)
            assert not [task for task in callers if task.done()]
        await rebuilding.until_folded(servers, SECONDS)
        after = load.read[before:]
        assert {status for status, _ in after} == {httpx.codes.OK, httpx.codes.SERVICE_UNAVAILABLE}
        assert {
            told["code"] for status, told in [*after, *load.limited[limited:]] if status >= httpx.codes.BAD_REQUEST
        } == {"unavailable"}
        first = next(i for i, (status, _) in enumerate(after) if status != httpx.codes.OK)
        assert next(told["stale"] for status, told in after[first:] if status == httpx.codes.OK)
        assert {name for name, _ in stack.deaths} == {"projections"}
        assert stack.deaths.total() <= 3, "it waits for its tables, rather than die again and again"
        assert load.lines == {httpx.codes.CREATED}, "commands were taken all the while"
        events = await checker.check_store(servers, load.events)
        await checker.check_projections(servers, events)


async def until(holds: Any) -> None:
    async with asyncio.timeout(SECONDS):
        while not holds():
            await asyncio.sleep(0.1)
