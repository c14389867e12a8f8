"""Asks the gateway as of past moments while everything goes wrong, and again later: what was final is said again."""

import random
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import httpx

QUESTIONS = (
    "/v1/coverage?level=village",
    "/v1/coverage?level=district&definition=coverage-2",
    "/v1/coverage/compare?level=subdistrict",
    "/v1/pairing",
    "/v1/working-groups/workload?place=4019",
)
ABOUT_HOUSEHOLDS = ("/v1/households/{}", "/v1/households/{}/timeline")
EXPLAIN = "/v1/coverage/explain?from_known_at={}&from_valid_on={}&to_known_at={}&to_valid_on={}"
DAYS = ("2019-01-31", "2019-10-15", "2020-02-29")
"""In the world, between the facts of programme.py."""
OF_THE_MOMENT = {"position", "generation", "newest_fact", "watermark", "provisional", "stale", "incomplete"}
"""What an answer says of the present, whatever it was asked about."""
LATELY = 4.0
"""Seconds before a watermark, in which most was not final a moment ago."""


class Finals:
    def __init__(self, seed: int) -> None:
        self._draw = random.Random(f"finals {seed}")
        self._said: dict[str, Any] = {}
        """Question -> its first answer that was final."""
        self.households: Sequence[str] = ()
        self.changed: list[str] = []

    def __len__(self) -> int:
        return len(self._said)

    async def ask(self, client: httpx.AsyncClient, mark: datetime) -> None:
        """Something new, and something that was asked before."""
        await self._ask(client, self._new(mark))
        await self._ask(client, self._draw.choice([*self._said] or [self._new(mark)]))

    async def ask_all_again(self, client: httpx.AsyncClient) -> None:
        for question in list(self._said):
            await self._ask(client, question)

    def _new(self, mark: datetime) -> str:
        known_at, valid_on = self._moment(mark), self._draw.choice(DAYS)
        if self._draw.random() < 0.2:
            return EXPLAIN.format(self._moment(mark), DAYS[0], known_at, valid_on)
        which = [*QUESTIONS, *ABOUT_HOUSEHOLDS] if self.households else QUESTIONS
        path = self._draw.choice(which).format(self._draw.choice(self.households or [""]))
        return f"{path}{'&' if '?' in path else '?'}known_at={known_at}&valid_on={valid_on}"

    def _moment(self, mark: datetime) -> str:
        moment = mark - timedelta(seconds=self._draw.uniform(0.001, LATELY))
        return moment.isoformat().replace("+00:00", "Z")

    async def _ask(self, client: httpx.AsyncClient, question: str) -> None:
        answer, said = await client.get(question), self._said.get(question)
        if answer.status_code == httpx.codes.SERVICE_UNAVAILABLE:
            return
        if answer.status_code == httpx.codes.NOT_FOUND and said is None:
            return  # nothing was known of that household
        told = answer.json()
        figures = {name: value for name, value in told.items() if name not in OF_THE_MOMENT}
        if said is None and answer.status_code == httpx.codes.OK:
            self._said |= {} if told["provisional"] else {question: figures}
        elif figures != said:  # final once; provisional again while something is set aside
            other = {name: (was, figures.get(name)) for name, was in (said or {}).items() if was != figures.get(name)}
            now = {name: told.get(name) for name in ("status", "provisional", "watermark")}
            self.changed.append(f"{question}: {now}, (was, is): {other}")
