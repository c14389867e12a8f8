"""The gateway put together: the one place where its parts meet."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import asyncpg
import fastapi_offline
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from fastapi.staticfiles import StaticFiles
from fastapi.telemetry import TelemetryConfig

from services.gateway import changes, changes_page, forward, pages, reads, session, upstream
from services.gateway.arrivals import Arrivals
from services.gateway.headers import BrowserHeaders
from shared.errors import Rejected
from shared.runtime import auth, logs, postgres, problems, wake, web
from shared.runtime.settings import Settings

STATIC = Path(__file__).parent / "static"
SWAGGER = Path(fastapi_offline.__file__).parent / "static"
"""Swagger UI's own files; FastAPI's default page would load them from a foreign host."""

_AWAITS_REBUILD = "SELECT obj_description(to_regnamespace(current_schema()), 'pg_namespace') LIKE 'awaits %'"

OWN: TelemetryConfig = {"tracing": False, "metrics": False, "logs": False}
"""We have our own (shared/runtime); FastAPI would look for other ones at each request."""

log = logs.get(__name__)


def create(settings: Settings) -> FastAPI:
    """The app. Raises Misconfigured when a key file is missing or SIAO_SERVICES cannot be read."""
    issuer = auth.load_key(settings.secret("issuer.pub.json"))
    key, urls = auth.load_key(settings.secret("gateway.key.json")), settings.service_urls

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with (
            await postgres.pool(settings) as pool,
            upstream.client() as http,
            wake.listening(settings) as woken,
        ):
            app.state.pool, app.state.services = pool, upstream.Services(urls, key, http)
            app.state.arrivals = Arrivals(pool, woken)
            app.state.feed = pages.feed(pool, documents=settings.clock == "simulated")
            polling = asyncio.create_task(app.state.feed.run())
            yield
            polling.cancel()

    app = FastAPI(title="Siao", version="1", lifespan=lifespan, openapi_url=None, telemetry=OWN)
    app.state.doorkeeper, app.state.settings = auth.Verifier(issuer, iss=auth.ISSUER, aud=auth.GATEWAY), settings
    app.mount("/static/docs", StaticFiles(directory=SWAGGER))
    app.mount("/static", StaticFiles(directory=STATIC))
    for router in forward.router, changes.router, reads.router, pages.router, changes_page.router, session.router:
        app.include_router(router)
    app.add_exception_handler(RequestValidationError, _invalid)
    for missing in *postgres.ABSENT, asyncpg.UndefinedColumnError:
        app.add_exception_handler(missing, _not_there)

    async def ready() -> dict[str, object]:
        return {"database": bool(await app.state.pool.fetchval("SELECT true FROM checkpoint LIMIT 1")) or "empty"}

    web.equip(app, ready).add_middleware(BrowserHeaders)
    return app


async def _not_there(request: Request, error: Exception) -> JSONResponse:
    """A question of this version asked of tables that another one made; or somebody took the tables away, and they are
    made again from the log."""
    awaited = False
    with suppress(*postgres.TRANSIENT):
        awaited = await request.app.state.pool.fetchval(_AWAITS_REBUILD)
    log.error("tables_missing", error=str(error))
    return problems.answer(Rejected("awaits_rebuild" if awaited else "unavailable"))


async def _invalid(_: Request, error: Exception) -> JSONResponse:
    """A parameter that does not fit, as a problem document."""
    assert isinstance(error, RequestValidationError)  # noqa: S101 what it was registered for
    first = error.errors()[0]
    return problems.answer(problems.of_field(first, str(first["loc"][-1])))
