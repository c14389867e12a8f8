"""kill -9 of a write service at work: what was acknowledged is stored, once; the rest can come again."""

import asyncio
import json
import random
from contextlib import suppress

import httpx

from tests.support.checker import check_log, check_store
from tests.support.commands import gateway_token, ndjson, register
from tests.support.processes import Process, running
from tests.support.servers import free_port

COMMANDS, PER_REQUEST, KILLS = 3_000, 300, 6


async def test_kill_9_during_bulks_loses_nothing_and_stores_nothing_twice(servers):
    settings = servers.settings("registry", http_port=free_port())
    service = Process("registry", "api", settings, servers.home.log("registry-killed"))
    wishes = [register() for _ in range(COMMANDS)]
    answered: dict[str, dict[str, object]] = {}

    async def publish() -> None:
        """As an agency does: sends what has no answer yet until everything has one."""
        headers = {"Authorization": f"Bearer {gateway_token(servers, 'registry', seconds=600)}"}
        async with httpx.AsyncClient(base_url=service.url, headers=headers, timeout=30) as client:
            while todo := [wish for wish in wishes if wish["id"] not in answered]:
                with suppress(httpx.TransportError):
                    async with client.stream("POST", "/commands/bulk", content=ndjson(todo[:PER_REQUEST])) as answer:
                        async for line in answer.aiter_lines():
                            receipt = json.loads(line)["receipt"]
                            assert answered.setdefault(receipt["command"], receipt) == receipt
                await asyncio.sleep(0.02)

    async def kill() -> None:
        draw = random.Random(20)
        for _ in range(KILLS):
            await asyncio.sleep(draw.uniform(0.05, 0.5))
            await service.end()
            await service.start()

    async with running(service):
        await asyncio.gather(publish(), kill())
    assert len(answered) == COMMANDS
    acknowledged = [event["id"] for receipt in answered.values() for event in receipt["events"]]
    events = await check_store(servers, acknowledged)
    mine = {receipt["subject"] for receipt in answered.values()}
    assert sum(event.data.get("household") in mine for event in events if event.service == "registry") == COMMANDS


async def test_postgres_restarting_under_load_is_told_and_survived(servers):
    settings = servers.settings("registry", http_port=free_port())
    service = Process("registry", "api", settings, servers.home.log("registry-restarted"))
    wishes = [register() for _ in range(400)]
    headers = {"Authorization": f"Bearer {gateway_token(servers, 'registry', seconds=600)}"}
    statuses: list[int] = []
    accepted: list[str] = []

    async def publish(client: httpx.AsyncClient, wish: dict[str, object]) -> None:
        for _ in range(200):
            answer = await client.post("/commands", json=wish)
            statuses.append(answer.status_code)
            if answer.status_code in (200, 201):
                accepted.append(answer.json()["events"][0]["id"])
                return
            assert answer.json()["code"] == "unavailable"
            await asyncio.sleep(0.2)

    async def restart() -> None:
        await asyncio.sleep(0.1)
        await servers.restart_postgres()

    async with running(service), httpx.AsyncClient(base_url=service.url, headers=headers, timeout=30) as client:
        await asyncio.gather(restart(), *(publish(client, wish) for wish in wishes))
    assert len(accepted) == len(set(accepted)) == len(wishes)
    assert set(statuses) <= {200, 201, 503}
    await check_store(servers, accepted)


async def test_while_kafka_is_down_commands_are_accepted_and_published_afterwards(servers):
    settings = servers.settings("registry", http_port=free_port())
    service = Process("registry", "api", settings, servers.home.log("registry-without-kafka"))
    relay = Process(
        "registry",
        "relay",
        servers.settings("registry", http_port=free_port()),
        servers.home.log("relay-without-kafka"),
    )
    headers = {"Authorization": f"Bearer {gateway_token(servers, 'registry', seconds=600)}"}
    async with running(service, relay):
        await servers.kill_kafka()
        async with httpx.AsyncClient(base_url=service.url, headers=headers, timeout=30) as client:
            answer = await client.post("/commands", json=register())
            assert answer.status_code == 201
            assert (await client.get("/readyz")).json()["outbox"] > 0
            await servers.start_kafka()
            async with asyncio.timeout(60):
                while (await client.get("/readyz")).json()["outbox"]:
                    await asyncio.sleep(0.2)
    events = await check_store(servers, [answer.json()["events"][0]["id"]])
    await check_log(servers, events, ("registry",))
