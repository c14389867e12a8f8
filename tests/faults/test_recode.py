"""`./siao recode`, cut off and run again: who lived there that day has the new code, once, whatever came between."""

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from io import StringIO
from typing import Any

import asyncpg
import httpx
import pytest
import pytest_asyncio
from rich.console import Console

from deploy.local import recode
from deploy.local.recode import Recoding
from deploy.local.trouble import Trouble
from shared.events.recoding import HouseholdRecoded
from shared.runtime.auth import Role
from tests.support.commands import command, ndjson, register, void
from tests.support.servers import Servers
from tests.support.stack import Stack

HERE, NEW, FAR, DAY = "40190101", "40190121", "40010101", "2020-02-01"
RECODING = Recoding(HERE, NEW, DAY)
HOUSEHOLDS, PAGE = 25, 10


@pytest_asyncio.fixture
async def stack(servers: Servers, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Stack]:
    monkeypatch.setattr(recode, "AT_ONCE", PAGE)
    stack = Stack(servers)
    async with stack.running():
        await heard_of_all(stack)
        yield stack


async def heard_of_all(stack: Stack) -> None:
    """Until no figure is stale, as it is before every relay has said where it stands. Raises TimeoutError."""
    headers = {"Authorization": f"Bearer {stack.token(Role.SECRETARIAT)}"}
    async with httpx.AsyncClient(base_url=stack.gateway, headers=headers) as client, asyncio.timeout(60):
        while (await client.get("/v1/freshness")).json()["stale"]:
            await asyncio.sleep(0.05)


async def tell(stack: Stack, wishes: Sequence[dict[str, Any]]) -> list[str]:
    """Their households, once the gateway has seen them."""
    headers = {"Authorization": f"Bearer {stack.token(Role.SECRETARIAT)}"}
    async with httpx.AsyncClient(base_url=stack.gateway, headers=headers, timeout=60) as client:
        answer = await client.post("/v1/registry/commands/bulk", content=ndjson(list(wishes)))
        receipts = [json.loads(line)["receipt"] for line in answer.text.splitlines()]
        for receipt in receipts:
            seen = {"Siao-After": receipt["stream_versions"]}
            assert (await client.get("/v1/freshness", headers=seen)).status_code == httpx.codes.OK
        return [receipt["subject"] for receipt in receipts]


async def run(
    stack: Stack, recoding: Recoding = RECODING, console: Console | None = None, **client: Any
) -> Counter[str]:
    headers = {"Authorization": f"Bearer {stack.token(Role.SECRETARIAT)}"}

    def in_thread() -> Counter[str]:
        with httpx.Client(base_url=stack.gateway, headers=headers, timeout=60, **client) as asking:
            return recode.recode(asking, console or Console(quiet=True), recoding)

    return await asyncio.to_thread(in_thread)


async def recoded(servers: Servers) -> Counter[str]:
    """Stream -> how often."""
    connection = await asyncpg.connect(servers.dsn("registry"))
    try:
        rows = await connection.fetch("SELECT stream FROM event WHERE type = $1", HouseholdRecoded.type)
        return Counter(row["stream"].removeprefix("household-") for row in rows)
    finally:
        await connection.close()


async def test_a_village_is_recoded_once_however_often_it_is_begun(servers: Servers, stack: Stack) -> None:
    homes = await tell(stack, [register(village=HERE) for _ in range(HOUSEHOLDS)])
    left, came = homes[0], (await tell(stack, [register(village=FAR)]))[0]
    moves = (left, FAR, "2020-01-15"), (came, HERE, "2020-02-02")
    await tell(stack, [command("RelocateHousehold.v1", household=h, village=v, occurred_on=on) for h, v, on in moves])
    lived = set(homes) - {left}

    answered: list[httpx.Response] = []

    def cut_off(answer: httpx.Response) -> None:
        if answer.request.method == "POST":
            answered.append(answer)
        if len(answered) == 2:
            raise httpx.ReadError("the line is cut")

    with pytest.raises(httpx.ReadError):
        await run(stack, event_hooks={"response": [cut_off]})
    assert 0 < len(await recoded(servers)) < len(lived)
    told = await run(stack)
    assert told["recoded"] + told["already"] <= len(lived)
    assert await recoded(servers) == dict.fromkeys(lived, 1)
    assert not (await run(stack))["recoded"], "nobody is left"

    first = min(lived)
    await tell(stack, [void(first, 2)])
    assert await run(stack) == {"recoded": 1}, "whose recoding was voided is recoded anew"
    assert await run(stack, Recoding(HERE, NEW, "2020-02-02")) == {"recoded": 1}, "and who came later, by that day"
    assert await recoded(servers) == dict.fromkeys({*lived, came}, 1) | {first: 2}


async def test_who_came_later_is_told_and_nobody_else(stack: Stack) -> None:
    old, said = "40020101", StringIO()
    await tell(stack, [register(village=old) for _ in range(2 * PAGE)])
    [came] = await tell(stack, [register(village=FAR)])
    await tell(stack, [command("RelocateHousehold.v1", household=came, village=old, occurred_on="2020-02-02")])
    assert await run(stack, Recoding(old, "40020121", DAY), Console(file=said)) == {"recoded": 2 * PAGE}
    assert f"1 households came to {old} after {DAY}, and keep that code" in said.getvalue()


async def test_what_is_wrong_is_said_in_both_languages(stack: Stack) -> None:
    await tell(stack, [register(village=HERE)])
    wrong = {
        "Buddhist": Recoding(HERE, NEW, "2563-02-01"),
        "village": Recoding("4019", NEW, DAY),
        "No such subdistrict": Recoding(HERE, "40999901", DAY),
    }
    for why, recoding in wrong.items():
        with pytest.raises(Trouble, match=why) as no:
            await run(stack, recoding)
        assert not no.value.th.isascii()
