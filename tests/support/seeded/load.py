"""What agencies do meanwhile: publish, send again what has no answer, and now and then give up without looking."""

import asyncio
import json
import random
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import httpx

from shared.runtime import ids
from tests.support.commands import assign, command, enrol, helped, ndjson, register
from tests.support.stack import Stack

Wish = dict[str, Any]
DIMENSIONS = ("welfare", "health", "occupation", "education", "living")
PER_REQUEST = 40


def programme(draw: random.Random, households: int) -> dict[str, list[list[Wish]]]:
    """Service -> phases of commands, each in an order in which they can be accepted once the phase before is."""
    homes = [ids.new_id("hh") for _ in range(households)]
    helpers = [ids.new_id("hp") for _ in range((households + 1) // 2)]
    registry, pairing, interventions = [], [enrol(helper=helper) for helper in helpers], []
    ends = []
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
        if draw.random() < 0.2:
            reason = draw.choice(["household-asked", "entered-by-mistake"])
            told_of_end = {"household": home, "helper": helpers[i // 2], "reason": reason}
            ends.append(command("EndPair.v1", occurred_on="2019-12-01", **told_of_end))
        for _ in range(draw.randint(0, 5)):
            day = f"2019-{draw.randint(7, 12):02d}-{draw.randint(1, 28):02d}"
            interventions.append(helped(home, dimensions=[draw.choice(DIMENSIONS)], occurred_on=day))
    return {"registry": [registry], "pairing": [pairing, ends], "interventions": [interventions]}


@dataclass
class Told:
    """Every answer that came, by command."""

    receipts: dict[str, dict[str, Any]] = field(default_factory=dict)
    contradictions: list[str] = field(default_factory=list)
    """Commands that got a second, different receipt."""
    refusals: Counter[str] = field(default_factory=Counter)
    """Service and code -> how often it was told to come again."""

    def take(self, receipt: dict[str, Any]) -> None:
        if self.receipts.setdefault(receipt["command"], receipt) != receipt:
            self.contradictions.append(receipt["command"])


class Agency:
    """One agency's system, which publishes to one service within `seconds`."""

    def __init__(self, stack: Stack, service: str, told: Told, draw: random.Random, seconds: float) -> None:
        self._stack, self._service, self._told, self._draw, self._seconds = stack, service, told, draw, seconds

    async def publish(self, phases: Sequence[Sequence[Wish]]) -> None:
        """Returns when every wish has a receipt. Raises AssertionError for a refusal that lasts."""
        for wishes in phases:
            await self._publish(wishes)

    async def _publish(self, wishes: Sequence[Wish]) -> None:
        headers = {"Authorization": f"Bearer {self._stack.token()}"}
        pause = self._seconds * PER_REQUEST / max(len(wishes), 1)
        async with httpx.AsyncClient(base_url=self._stack.gateway, headers=headers, timeout=30) as client:
            while todo := [wish for wish in wishes if wish["id"] not in self._told.receipts]:
                with suppress(httpx.TransportError):
                    await self._send(client, todo[: self._draw.randint(1, 2 * PER_REQUEST)])
                await asyncio.sleep(self._draw.uniform(0, 2 * pause))

    async def _send(self, client: httpx.AsyncClient, some: Sequence[Wish]) -> None:
        if self._draw.random() < 0.2:
            await self._give_up(client)
        if self._draw.random() < 0.2:
            for wish in some[:3]:
                answer = await client.post(f"/v1/{self._service}/commands", json=wish)
                self._take(answer.json())
            return
        answer = await client.post(f"/v1/{self._service}/commands/bulk", content=ndjson(list(some)))
        for line in answer.text.splitlines() if answer.status_code == httpx.codes.OK else ():
            told = json.loads(line)
            self._take(told.get("receipt") or told["problem"])

    def _take(self, answer: Mapping[str, Any]) -> None:
        if "receipt" in answer:
            self._told.take(dict(answer))
        else:
            assert answer["retryable"], answer
            self._told.refusals[f"{self._service} {answer['code']}"] += 1

    async def _give_up(self, client: httpx.AsyncClient) -> None:
        """Commands that are sent once, whose answer nobody waits for: stored wholly, or not at all."""
        if self._service == "registry":
            some = [register() for _ in range(self._draw.randint(1, PER_REQUEST))]
            with suppress(TimeoutError, httpx.TransportError):
                async with asyncio.timeout(self._draw.uniform(0.001, 0.2)):
                    await client.post("/v1/registry/commands/bulk", content=ndjson(some))
