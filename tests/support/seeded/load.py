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

from shared.runtime.auth import Role
from tests.support.commands import ndjson, register
from tests.support.seeded.programme import Wish
from tests.support.stack import Stack

PER_REQUEST = 40
Ready = tuple[Wish, dict[str, Any]]
"""A wish, and what is sent of it."""


@dataclass
class Told:
    """Every answer that came, by command."""

    receipts: dict[str, dict[str, Any]] = field(default_factory=dict)
    contradictions: list[str] = field(default_factory=list)
    """Commands that got a second, different receipt."""
    refused: dict[str, str] = field(default_factory=dict)
    """Command -> the code with which it was refused for good."""
    refusals: Counter[str] = field(default_factory=Counter)
    """Service and code -> how often it was told to come again."""

    def take(self, receipt: dict[str, Any]) -> None:
        if self.receipts.setdefault(receipt["command"], receipt) != receipt:
            self.contradictions.append(receipt["command"])

    def unsettled(self, wishes: Sequence[Wish]) -> list[Ready]:
        """What still needs an answer, as it is to be said."""
        waiting = (wish for wish in wishes if wish.id not in self.receipts and wish.id not in self.refused)
        return [(wish, dict(body)) for wish in waiting if (body := wish.said(self.receipts)) is not None]


class Agency:
    """One agency's system, which publishes to one service within `seconds`."""

    def __init__(self, stack: Stack, service: str, told: Told, draw: random.Random, seconds: float) -> None:
        self._stack, self._service, self._told, self._draw, self._seconds = stack, service, told, draw, seconds

    async def publish(self, phases: Sequence[Sequence[Wish]]) -> None:
        """Returns when every wish is settled. Raises AssertionError for a refusal that should not be."""
        pause = self._seconds * PER_REQUEST / sum(map(len, phases))
        for wishes in phases:
            await self._publish(wishes, pause)

    async def _publish(self, wishes: Sequence[Wish], pause: float) -> None:
        headers = {"Authorization": f"Bearer {self._stack.token(Role.SECRETARIAT)}"}
        async with httpx.AsyncClient(base_url=self._stack.gateway, headers=headers, timeout=30) as client:
            while todo := self._told.unsettled(wishes):
                with suppress(httpx.TransportError):
                    await self._send(client, todo[: self._draw.randint(1, 2 * PER_REQUEST)])
                await asyncio.sleep(self._draw.uniform(0, 2 * pause))

    async def _send(self, client: httpx.AsyncClient, some: Sequence[Ready]) -> None:
        if self._draw.random() < 0.2:
            await self._give_up(client)
        if self._draw.random() < 0.2:
            for wish, body in some[:3]:
                answer = await client.post(f"/v1/{self._service}/commands", json=body)
                self._take(wish, answer.json())
            return
        answer = await client.post(f"/v1/{self._service}/commands/bulk", content=ndjson([body for _, body in some]))
        for line in answer.text.splitlines() if answer.status_code == httpx.codes.OK else ():
            told = json.loads(line)
            self._take(some[told["line"] - 1][0], told.get("receipt") or told["problem"])

    def _take(self, wish: Wish, answer: Mapping[str, Any]) -> None:
        if "receipt" in answer:
            self._told.take(dict(answer))
        elif answer["code"] in wish.may:
            self._told.refused[wish.id] = answer["code"]
        else:
            assert answer["retryable"], (wish, answer)
            self._told.refusals[f"{self._service} {answer['code']}"] += 1

    async def _give_up(self, client: httpx.AsyncClient) -> None:
        """Commands that are sent once, whose answer nobody waits for: stored wholly, or not at all."""
        if self._service == "registry":
            some = [register() for _ in range(self._draw.randint(1, PER_REQUEST))]
            with suppress(TimeoutError, httpx.TransportError):
                async with asyncio.timeout(self._draw.uniform(0.001, 0.2)):
                    await client.post("/v1/registry/commands/bulk", content=ndjson(some))
