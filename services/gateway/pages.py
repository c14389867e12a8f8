"""The pages: what a browser shows, and the stream that keeps it current."""

from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse, JSONResponse, RedirectResponse
from fastapi.sse import EventSourceResponse, ServerSentEvent
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from services.gateway import access, dashboard, models, openapi
from services.gateway.access import Action
from services.gateway.feed import Feed, State
from services.gateway.identity import Reader, cookie_name, keeper, session_token
from services.gateway.snapshot import tag, taken
from shared import thai
from shared.errors import CATALOG, Rejected
from shared.published import ROUNDED_DOWN
from shared.runtime.auth import Caller
from shared.runtime.postgres import ABSENT, TRANSIENT

TEMPLATES = Environment(
    loader=FileSystemLoader(Path(__file__).parent / "templates"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
TEMPLATES.filters.update(
    count=thai.count, signed=thai.signed, percent=thai.percent, moment=thai.thai_moment, day=thai.thai_date
)

router = APIRouter(include_in_schema=False)


@router.get("/")
async def home(request: Request) -> Response:
    """The figures, or the way to the sign-in page."""
    if isinstance(way := visitor(request), Response):
        return way
    simulated = request.app.state.settings.clock == "simulated"
    page = TEMPLATES.get_template("page.html")
    try:
        shown = await _figures(request.app.state.pool, documents=simulated)
    except (*TRANSIENT, *ABSENT, asyncpg.UndefinedColumnError):
        return HTMLResponse(page.render(figures=_waiting(), simulated=simulated), 503)
    return HTMLResponse(page.render(figures=shown.html, simulated=simulated))


def _waiting() -> str:
    """In place of figures that cannot be read, or above those read last; the page gets them when they come."""
    return TEMPLATES.get_template("waiting.html").render()


def visitor(request: Request) -> Caller | Response:
    """Who is signed in and may read the figures; for anybody else the way to the sign-in page."""
    held = request.cookies.get(cookie_name(request))
    try:
        caller = keeper(request).caller(held or "")
        access.may_read(caller, Action.FIGURES)
    except Rejected as refusal:
        return RedirectResponse(f"/sign-in?why={refusal.code}" if held else "/sign-in", 303)
    return caller


@router.get("/sign-in")
async def sign_in(why: str | None = None) -> HTMLResponse:
    problem = CATALOG[why] if why in ("token_expired", "token_invalid") else None
    return HTMLResponse(TEMPLATES.get_template("sign_in.html").render(problem=problem))


@router.get("/docs")
async def docs(request: Request) -> Response:
    """Swagger UI, from files of this machine; a browser that is not signed in is shown where to."""
    browser = "authorization" not in request.headers and "text/html" in request.headers.get("accept", "")
    if browser and isinstance(way := visitor(request), Response):
        return way
    keeper(request).caller(session_token(request))
    return HTMLResponse(TEMPLATES.get_template("docs.html").render())


@router.get("/openapi.json")
async def described(request: Request, _: Reader) -> JSONResponse:
    return JSONResponse(openapi.document(request.app))


@router.get("/v1/live", response_class=EventSourceResponse)
async def live(request: Request, caller: Reader) -> AsyncIterator[ServerSentEvent]:
    access.may_read(caller, Action.FIGURES)
    watched: Feed = request.app.state.feed
    token = session_token(request)
    async for state in watched.states():
        try:
            keeper(request).caller(token)
        except Rejected:
            yield ServerSentEvent(event="signed-out", raw_data="")
            return
        yield ServerSentEvent(event="figures", id=state.key, raw_data=state.html)


def feed(pool: asyncpg.Pool, *, documents: bool) -> Feed:
    """`documents`: whether each figure has beside it what the documents print, as in a demonstration."""

    async def look() -> str:
        async with taken(pool) as (_, standing):
            return _key(standing)

    return Feed(look, lambda: _figures(pool, documents=documents), _waiting())


async def _figures(pool: asyncpg.Pool, *, documents: bool) -> State:
    shown = await dashboard.gather(pool)
    told = ROUNDED_DOWN if documents else ()
    html = TEMPLATES.get_template("figures.html").render(
        d=shown, standing=shown.standing, documents=documents, rounded_down=told
    )
    return State(_key(shown.standing), html)


def _key(standing: models.Standing) -> str:
    """The watermark counts by the minute, as it is shown; else every second would be news."""
    return f"{tag(standing)} {standing.watermark:%Y-%m-%dT%H:%M}" if standing.watermark else tag(standing)
