"""The HTTP process of a write service, put together."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Protocol

import asyncpg
from starlette.applications import Starlette
from starlette.requests import Request

from shared.commands import http
from shared.commands.batch import Deciding
from shared.commands.desk import Desk
from shared.commands.reading import Reader
from shared.errors import Rejected
from shared.events import catalog
from shared.eventstore import clock
from shared.runtime import auth, postgres, web
from shared.runtime.after import parse
from shared.runtime.poke import Poker
from shared.runtime.settings import Settings
from shared.runtime.worker import going_on


class Wait(Protocol):
    """Waits, within bounds, until what a service knows of others has passed `stream -> version`.

    Raises Rejected not_yet_visible.
    """

    async def __call__(self, pool: asyncpg.Pool, after: Mapping[str, int]) -> None: ...


def create(settings: Settings, deciding: Deciding, wait: Wait | None = None) -> Starlette:
    """The service's app. `wait` is for a service that follows others, so that Siao-After can be kept."""
    service = deciding.service
    reader = Reader(catalog.COMMANDS[service], settings.key("body.key"))
    gateway_key = auth.load_key(settings.secret("gateway.pub.json"))

    async def before(request: Request) -> None:
        moment = http.simulated_time(request.headers.get("siao-simulated-clock"))
        if moment is not None:
            if settings.clock != "simulated":
                raise Rejected("clock_not_simulated", field="Siao-Simulated-Clock")
            await clock.advance(request.app.state.pool, moment)
        if wait is not None and (after := parse(request.headers.get("siao-after"))):
            await wait(request.app.state.pool, after)

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        async with await postgres.pool(settings, least=deciding.at_once, session=postgres.PLANNED_ONCE) as pool:
            await clock.claim(pool, settings.clock)
            with Poker(settings) as poke:
                app.state.pool, app.state.desk = pool, Desk(pool, deciding, poke)
                async with going_on(app.state.desk.run()):
                    yield

    app = Starlette(routes=http.routes(service, reader, gateway_key, before), lifespan=lifespan)

    async def ready() -> dict[str, object]:
        waiting: int = await app.state.pool.fetchval("SELECT count(*) FROM outbox")
        return {"outbox": waiting}

    return web.equip(app, ready)
