"""What every HTTP process has: health, readiness, metrics, request logs, problem documents."""

import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

import structlog
import uvicorn
from prometheus_client import CONTENT_TYPE_LATEST, Counter, Histogram, generate_latest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from shared.runtime import logs, problems, server, trace
from shared.runtime.one_write import OneWrite
from shared.runtime.settings import Settings

App = TypeVar("App", bound=Starlette)
Check = Callable[[], Awaitable[dict[str, object]]]
"""Answers what it found, or raises whatever is wrong."""

QUIET = frozenset({"/livez", "/readyz", "/metrics"})

METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT"})
"""RFC 9110 and RFC 5789. A caller may send any other word; a metric's label must not grow by it."""

log = logs.get(__name__)
requests = Counter("siao_http_requests_total", "HTTP requests answered", ["method", "route", "status"])
seconds = Histogram("siao_http_request_seconds", "Seconds to the end of the answer", ["route"])


def equip(app: App, ready: Check) -> App:
    """Adds the common routes and the middleware to `app`; `ready` says whether this process can do its work."""

    async def livez(_: Request) -> Response:
        return PlainTextResponse("ok")

    async def readyz(_: Request) -> Response:
        try:
            return JSONResponse({"ready": True} | await ready())
        except Exception as error:  # whatever it is, this process cannot serve now
            return JSONResponse({"ready": False, "why": type(error).__name__}, 503)

    async def metrics(_: Request) -> Response:
        return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)

    for check in livez, readyz, metrics:
        app.add_route(f"/{check.__name__}", check, include_in_schema=False)
    problems.install(app)
    app.add_middleware(RequestLog)
    return app


class RequestLog:
    """Plain ASGI, so that a streamed body is not held up. Logs the route's pattern, never a path with an id in it."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] in QUIET:
            return await self.app(scope, receive, send)
        parent = trace.enter(Request(scope).headers.get("traceparent"))
        structlog.contextvars.bind_contextvars(trace=trace.current())
        begun, status = time.perf_counter(), 0

        async def answer(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message.setdefault("headers", []).append((b"x-trace-id", parent[3:35].encode()))
            await send(message)

        try:
            await self.app(scope, receive, answer)
        finally:
            route = getattr(scope.get("route"), "path", "unknown")
            taken = time.perf_counter() - begun
            method = scope["method"] if scope["method"] in METHODS else "other"
            requests.labels(method, route, str(status)).inc()
            seconds.labels(route).observe(taken)
            log.info("request", method=method, route=route, status=status, ms=round(taken * 1000, 1))


def serve(app: ASGIApp, settings: Settings) -> None:
    """Runs until SIGTERM, then lets requests in flight end."""
    config = uvicorn.Config(
        app,
        host=settings.http_host,
        port=settings.http_port,
        http=OneWrite,
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=5,
    )
    server.run(config)
