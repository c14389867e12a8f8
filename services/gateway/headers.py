"""What every answer tells a browser: load nothing from elsewhere, guess nothing, keep nothing, be framed by nobody."""

from ipaddress import ip_address

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from shared.errors import Rejected
from shared.runtime import problems

_SELF = "script-src 'self'; img-src 'self' data:; connect-src 'self'; form-action 'self'"
_CLOSED = "default-src 'none'; base-uri 'none'; frame-ancestors 'none'"
CONTENT_SECURITY_POLICY = f"{_CLOSED}; {_SELF}; style-src 'self'"
DOCS_POLICY = f"{_CLOSED}; {_SELF}; style-src 'self' 'unsafe-inline'"
"""Swagger UI writes style attributes; nothing of ours needs that."""


class BrowserHeaders:
    """Plain ASGI, so that streamed answers pass as they are. Keeps /metrics for this machine."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        app = self.app
        if scope["type"] == "http" and scope["path"] == "/metrics" and not _from_here(scope):
            app = problems.answer(Rejected("route_unknown"))

        async def answer(message: Message) -> None:
            if message["type"] == "http.response.start":
                _add(MutableHeaders(scope=message), scope["path"])
            await send(message)

        await app(scope, receive, answer)


def _add(headers: MutableHeaders, path: str) -> None:
    headers["content-security-policy"] = DOCS_POLICY if path == "/docs" else CONTENT_SECURITY_POLICY
    headers["x-content-type-options"] = "nosniff"
    headers["referrer-policy"] = "no-referrer"
    headers["cross-origin-opener-policy"] = "same-origin"
    headers["cross-origin-resource-policy"] = "same-origin"
    headers.setdefault("cache-control", "no-store")


def _from_here(scope: Scope) -> bool:
    client: tuple[str, int] | None = scope.get("client")
    return client is not None and ip_address(client[0]).is_loopback
