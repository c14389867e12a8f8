"""One answer, one moment: everything a reader is told comes from a single read-only snapshot of the tables."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Annotated

import asyncpg
from fastapi import Depends, Request, Response
from pydantic import BaseModel

from services.gateway.arrivals import Arrivals
from services.gateway.asof import Asked
from services.gateway.models import Standing
from services.gateway.queries import standing
from shared.runtime import after

Read = Callable[[asyncpg.Connection, Standing], Awaitable[BaseModel]]
Ask = Callable[[asyncpg.Pool], Awaitable[asyncpg.Record]]
"""Answers a row that has the columns of standing.sql too."""
Tell = Callable[[asyncpg.Record, Standing], BaseModel]


@asynccontextmanager
async def taken(pool: asyncpg.Pool, asked: Asked | None = None) -> AsyncIterator[tuple[asyncpg.Connection, Standing]]:
    async with pool.acquire() as connection, connection.transaction(isolation="repeatable_read", readonly=True):
        yield connection, await standing.read(connection, asked)


class Snapshot:
    """Answers one request from one snapshot; a caller that holds the same state already gets 304."""

    def __init__(
        self, pool: asyncpg.Pool, arrivals: Arrivals, siao_after: str | None, if_none_match: str | None
    ) -> None:
        self._pool, self._arrivals, self._after, self._held = pool, arrivals, siao_after, if_none_match

    async def answer(self, read: Read, asked: Asked | None = None) -> Response:
        """Raises Rejected not_yet_visible, what `Asked.resolve` raises, and whatever `read` raises."""
        await self._arrivals.of(after.parse(self._after))
        async with taken(self._pool, asked) as (connection, state):
            if self._held == tag(state):
                return _same(state)
            return _whole(state, await read(connection, state))

    async def answer_at_once(self, ask: Ask, tell: Tell, asked: Asked | None = None) -> Response:
        """The same from one statement, which is a snapshot by itself."""
        await self._arrivals.of(after.parse(self._after))
        row = await ask(self._pool)
        state = standing.told(row, asked)
        return _same(state) if self._held == tag(state) else _whole(state, tell(row, state))


def _same(state: Standing) -> Response:
    return Response(status_code=304, headers=_headers(state))


def _whole(state: Standing, told: BaseModel) -> Response:
    return Response(told.model_dump_json(by_alias=True), headers=_headers(state), media_type="application/json")


def _headers(state: Standing) -> dict[str, str]:
    return {"etag": tag(state), "cache-control": "private, no-cache", "vary": "Authorization, Cookie"}


def tag(state: Standing) -> str:
    """Weak (RFC 9110 §8.8.1): the watermark moves on while nothing happens, and the figures stay what they were.

    The day is in it because its default is today."""
    marks = "p" * state.provisional + "s" * state.stale + "r" * state.awaits_rebuild
    stands = (*state.position.values(), state.generation, state.as_of.valid_on)
    return f'W/"{".".join(str(part) for part in stands)}{marks}"'


HEADERS = {
    "siao-after": "Waits until these stream@version are visible.",
    "if-none-match": "The ETag of an answer that the caller holds: 304 while it still stands.",
}
"""What a question may bring: name -> what it does. Told to openapi.py here, for FastAPI takes longer to find them."""


async def _snapshot(request: Request) -> Snapshot:
    state = request.app.state
    return Snapshot(state.pool, state.arrivals, *(request.headers.get(name) for name in HEADERS))


Snap = Annotated[Snapshot, Depends(_snapshot)]
