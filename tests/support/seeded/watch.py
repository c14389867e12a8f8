"""Looks at the tables and asks the gateway while everything goes wrong; promises.py judges afterwards."""

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import httpx

from services.projections.models import MODELS
from shared.runtime.auth import Role
from tests.support.checker import Figures
from tests.support.seeded import fold
from tests.support.seeded.finals import Finals
from tests.support.servers import Servers
from tests.support.stack import Stack

EVERY_SECONDS = 0.7
SLACK = timedelta(seconds=3)
"""Between the gateway's look and ours."""
STALE_AFTER = timedelta(seconds=60)

_HOUSEHOLDS = "SELECT DISTINCT key FROM stream_head WHERE stream LIKE 'household-%' ORDER BY key"

Final = Mapping[str, tuple[int, int]]
"""Ledger -> how many rows were recorded before a mark, and their checksum."""


@dataclass(frozen=True)
class Look:
    """The projections at one moment, read from one snapshot."""

    heads: Mapping[str, int]
    """Stream -> up to which version it is folded."""
    figures: Figures
    mark: datetime | None
    """The watermark: everything recorded before it is final."""
    final: Final


async def final(connection: asyncpg.Connection, mark: datetime | None) -> Final:
    """What the ledgers hold of facts recorded before `mark`."""
    found = {}
    for model in MODELS:
        row = await connection.fetchrow(
            f"""SELECT count(*), coalesce(sum(hashtextextended(l::text, 0)::numeric), 0)
                FROM {model.name}_ledger AS l WHERE recorded_at < $1""",
            mark,
        )
        found[model.name] = (row[0], int(row[1]))
    return found


async def look(connection: asyncpg.Connection) -> Look:
    async with connection.transaction(isolation="repeatable_read", readonly=True):
        heads = dict(await connection.fetch("SELECT stream, version FROM stream_head WHERE version > 0"))
        mark = await connection.fetchval("SELECT CASE WHEN count(mark) = 3 THEN min(mark) END FROM watermark_settled")
        return Look(heads, await fold.stored(connection), mark, await final(connection, mark))


class Watch:
    def __init__(self, servers: Servers, stack: Stack, seed: int) -> None:
        self._servers, self._stack = servers, stack
        self.finals = Finals(seed)
        self.looks: list[Look] = []
        self.answers = 0
        self.silent: list[str] = []
        """Answers that did not say where they stand, or how fresh they are."""

    async def run(self) -> None:
        """Until cancelled."""
        async with self._client() as client:
            while True:
                with suppress(OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError):
                    await self._look()
                with suppress(httpx.TransportError):
                    await self._ask(client)
                await asyncio.sleep(EVERY_SECONDS)

    async def ask_again(self) -> None:
        """Every question whose answer was final. Raises httpx.TransportError."""
        async with self._client() as client:
            await self.finals.ask_all_again(client)

    def _client(self) -> httpx.AsyncClient:
        headers = {"Authorization": f"Bearer {self._stack.token(Role.SECRETARIAT)}"}
        return httpx.AsyncClient(base_url=self._stack.gateway, headers=headers, timeout=20)

    async def _look(self) -> None:
        """As the gateway's role: a switch to rebuilt tables waits for readers of that name."""
        connection = await asyncpg.connect(self._servers.dsn("gateway"), timeout=5, command_timeout=20)
        try:
            self.looks.append(await look(connection))
            self.finals.households = [row[0] for row in await connection.fetch(_HOUSEHOLDS)]
        finally:
            connection.terminate()

    async def _ask(self, client: httpx.AsyncClient) -> None:
        answer = await client.get("/v1/coverage")
        if answer.status_code == httpx.codes.OK:
            told = answer.json()
            self.answers += 1
            self.silent += _missing(told, datetime.now(UTC))
            if told["watermark"]:
                await self.finals.ask(client, datetime.fromisoformat(told["watermark"]))
        elif answer.status_code != httpx.codes.SERVICE_UNAVAILABLE:
            self.silent.append(f"status {answer.status_code}: {answer.text[:200]}")


def _missing(told: Mapping[str, Any], now: datetime) -> list[str]:
    """What an answer should have said."""
    wrong = [name for name in ("position", "watermark", "provisional", "stale", "as_of") if name not in told]
    if wrong or set(told["position"]) != {"registry", "pairing", "interventions"}:
        return [f"without {wrong or 'every position'}"]
    mark = told["watermark"] and datetime.fromisoformat(told["watermark"])
    if (mark is None or mark < now - STALE_AFTER - SLACK) and not told["stale"]:
        return [f"not stale at {now}, though complete only until {mark}"]
    if mark is None and not told["provisional"]:
        return ["final without a watermark"]
    return []
