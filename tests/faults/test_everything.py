"""Everything runs, agencies publish through the gateway, and every process and both servers are killed at random.

At the end nothing acknowledged is missing, nothing counts twice, and the projections equal a plain fold of the store.
"""

import asyncio
import json
import os
import random
import signal
import time
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

import httpx

from shared.runtime import ids
from tests.support.checker import check_log, check_projections, check_store, folded
from tests.support.commands import assign, command, enrol, helped, ndjson, register
from tests.support.servers import Servers
from tests.support.stack import Stack

HOUSEHOLDS, PER_REQUEST = 400, 200
KILLS, SEED = 14, int(os.environ.get("SIAO_TEST_SEED", "2563"))
SETTLE_SECONDS = 120
DIMENSIONS = ("welfare", "health", "occupation", "education", "living")


def programme(draw: random.Random) -> dict[str, list[dict[str, Any]]]:
    """Service -> commands in an order in which they can be accepted."""
    homes = [ids.new_id("hh") for _ in range(HOUSEHOLDS)]
    helpers = [ids.new_id("hp") for _ in range(HOUSEHOLDS // 2)]
    registry, pairing, interventions = [], [enrol(helper=helper) for helper in helpers], []
    for i, home in enumerate(homes):
        registry.append(register(household=home, village=f"4019{draw.randint(1, 5):02d}{draw.randint(1, 20):02d}"))
        told = {"household": home, "occurred_on": "2019-02-01"}
        registry.append(
            command("ClassifyHousehold.v1", household_class=draw.choice(["developable", "welfare"]), **told)
        )
        needs = [{"dimension": d, "in_need": draw.random() < 0.8} for d in DIMENSIONS]
        registry.append(
            command("AssessNeeds.v1", needs=needs, source="bmn-survey", interviewer="example-office", **told)
        )
        pairing.append(assign(home, helpers[i // 2]))
        for _ in range(draw.randint(0, 5)):
            day = f"2019-{draw.randint(7, 12):02d}-{draw.randint(1, 28):02d}"
            interventions.append(helped(home, dimensions=[draw.choice(DIMENSIONS)], occurred_on=day))
    return {"registry": registry, "pairing": pairing, "interventions": interventions}


async def publish(stack: Stack, service: str, wishes: Sequence[dict[str, Any]]) -> list[str]:
    """As an agency does: sends again, under the same ids, what has no good answer. Returns the ids of events."""
    acknowledged: dict[str, list[str]] = {}
    headers = {"Authorization": f"Bearer {stack.token()}"}
    async with httpx.AsyncClient(base_url=stack.gateway, headers=headers, timeout=60) as client:
        while todo := [wish for wish in wishes if wish["id"] not in acknowledged]:
            with suppress(httpx.TransportError):
                answer = await client.post(f"/v1/{service}/commands/bulk", content=ndjson(list(todo[:PER_REQUEST])))
                for line in answer.text.splitlines() if answer.status_code == httpx.codes.OK else ():
                    told = json.loads(line)
                    if receipt := told.get("receipt"):
                        acknowledged[receipt["command"]] = [event["id"] for event in receipt["events"]]
                    else:
                        assert told["problem"]["retryable"], told
            await asyncio.sleep(0.1)
    return [event for events in acknowledged.values() for event in events]


async def chaos(servers: Servers, stack: Stack, draw: random.Random) -> None:
    for round_ in range(KILLS):
        await asyncio.sleep(draw.uniform(0.2, 1.5))
        if round_ == KILLS // 3:
            await servers.restart_postgres()
        elif round_ == 2 * KILLS // 3:
            await servers.kill_kafka()
            await servers.start_kafka()
        else:
            await stack.processes[draw.choice(sorted(stack.processes))].end(signal.SIGKILL)


async def test_nothing_is_lost_and_nothing_counts_twice(servers):
    draw, stack = random.Random(SEED), Stack(servers)
    wishes = programme(draw)
    async with stack.running():
        *told, _ = await asyncio.gather(
            *(publish(stack, service, commands) for service, commands in wishes.items()), chaos(servers, stack, draw)
        )
        acknowledged = [event for events in told for event in events]
        assert len(acknowledged) == len(set(acknowledged)) == sum(len(commands) for commands in wishes.values())
        events = await check_store(servers, acknowledged)
        until = time.monotonic() + SETTLE_SECONDS
        while not await folded(servers, events) and time.monotonic() < until:
            await asyncio.sleep(0.5)
        await check_projections(servers, events)
    await check_log(servers, events)
