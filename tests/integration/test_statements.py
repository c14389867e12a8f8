"""How often commands go to PostgreSQL: each time costs both sides more than most of what is done there."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
import httpx
import pytest

from services.interventions.api import Interventions
from services.pairing.api import Desk as Pairing
from services.registry.api import Registry
from shared.commands.batch import Answer, Batch, Deciding
from shared.commands.desk import States
from shared.commands.reading import Reader
from shared.events import catalog
from shared.runtime import auth
from shared.runtime.postgres import PLANNED_ONCE
from tests.support.commands import assign, enrol, helped, merge, register, tell_of_household
from tests.support.servers import Servers

CALLER = auth.Caller("ac-test", "example-office", auth.Role.AGENCY)
A_COMMAND = ["BEGIN", "SELECT", "WITH", "COMMIT"]


class Asked:
    """Decides batches of commands of one service on a connection of its own."""

    def __init__(self, connection: asyncpg.Connection, deciding: Deciding) -> None:
        self._connection, self._deciding = connection, deciding
        self._reader = Reader(catalog.COMMANDS[deciding.service], b"k" * 32)

    async def statements(self, *wishes: dict[str, Any]) -> list[str]:
        """The first word of each statement that deciding these in one batch takes, none of which reads a whole table.
        All must be accepted."""
        submissions = [self._reader.read(json.dumps(wish).encode(), CALLER) for wish in wishes]
        asked: list[Any] = []
        with self._connection.query_logger(asked.append):
            outcomes = await Batch(self._connection, self._deciding, States()).settle(submissions)
            await asyncio.sleep(0)  # the driver tells of a statement a little later
        assert all(isinstance(outcome, Answer) for outcome in outcomes)
        for one in asked:
            if one.args:
                plan = await self._connection.fetch(f"EXPLAIN {one.query}", *one.args)
                assert not [step for (step,) in plan if "Seq Scan" in step]
        return [one.query.split()[0].strip(";") for one in asked]


@asynccontextmanager
async def asking(servers: Servers, deciding: Deciding, *first: dict[str, Any]) -> AsyncIterator[Asked]:
    """After a batch of `first`, at which the driver asks for types."""
    connection = await asyncpg.connect(servers.dsn(deciding.service), server_settings=PLANNED_ONCE)
    try:
        asked = Asked(connection, deciding)
        await asked.statements(*first)
        yield asked
    finally:
        await connection.close()


def person() -> dict[str, Any]:
    return register(members=[{"relation": "head", "name": "สมมติ"}], house_number="1")


@pytest.mark.parametrize("size", [1, 300])
async def test_a_registration_takes_four_statements_and_so_do_many(servers: Servers, size: int) -> None:
    async with asking(servers, Registry(servers.settings("registry")), person()) as asked:
        assert await asked.statements(*(person() for _ in range(size))) == A_COMMAND


@pytest.mark.parametrize("size", [1, 100])
async def test_mergers_of_households_that_must_be_read_take_one_more(
    servers: Servers, registry: httpx.AsyncClient, size: int
) -> None:
    async def home() -> str:
        told: str = (await registry.post("/commands", json=register())).json()["subject"]
        return told

    async with asking(servers, Registry(servers.settings("registry")), merge(await home(), await home())) as asked:
        wishes = [merge(await home(), await home()) for _ in range(size)]
        assert await asked.statements(*wishes) == ["BEGIN", "SELECT", "SELECT", "WITH", "COMMIT"]


async def test_help_takes_four_statements(servers: Servers) -> None:
    home = await tell_of_household(servers, "interventions")
    async with asking(servers, Interventions(servers.settings("interventions")), helped(home)) as asked:
        other = await tell_of_household(servers, "interventions")
        assert await asked.statements(helped(other)) == A_COMMAND


async def test_a_pair_takes_one_more_for_what_was_committed_before_its_helper_was_locked(
    servers: Servers, pairing: httpx.AsyncClient
) -> None:
    async def pair() -> dict[str, Any]:
        helper = (await pairing.post("/commands", json=enrol())).json()["subject"]
        return assign(await tell_of_household(servers, "pairing"), helper)

    async with asking(servers, Pairing(servers.settings("pairing")), await pair()) as asked:
        assert await asked.statements(await pair()) == ["BEGIN", "SELECT", "SELECT", "WITH", "COMMIT"]
        assert await asked.statements(enrol()) == A_COMMAND
