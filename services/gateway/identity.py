"""Who is asking: a bearer token, or for the pages a session cookie that holds the same token.

What FastAPI calls here is async although nothing waits: it would send a plain function through a thread and back, which
costs more than checking a token. It takes the request and no more, for each header that FastAPI has to find by itself
costs as much again.
"""

from typing import Annotated

from fastapi import Depends, Header, Request

from shared.errors import Rejected
from shared.runtime import auth
from shared.runtime.auth import Caller, Verifier


def cookie_name(request: Request) -> str:
    """Browsers keep cookies by host, not by port; two stacks on one machine must not sign each other out."""
    return f"siao_session_{request.url.port or 'default'}"


def keeper(request: Request) -> Verifier:
    doorkeeper: Verifier = request.app.state.doorkeeper
    return doorkeeper


def session_token(request: Request) -> str:
    """Raises Rejected token_missing."""
    sent = request.headers.get("authorization")
    held = request.cookies.get(cookie_name(request)) if sent is None else None
    return held or auth.bearer(sent)


async def publisher(request: Request) -> Caller:
    """Commands take the bearer token only: a cookie travels by itself, and must never be able to write."""
    return keeper(request).caller(auth.bearer(request.headers.get("authorization")))


async def reader(request: Request) -> Caller:
    return keeper(request).caller(session_token(request))


Publisher = Annotated[Caller, Depends(publisher)]
Reader = Annotated[Caller, Depends(reader)]


async def same_site(sec_fetch_site: Annotated[str | None, Header()] = None) -> None:
    """Refuses a sign-in that another site's page posts (Fetch Metadata; browsers set it, scripts cannot)."""
    if sec_fetch_site not in (None, "same-origin", "none"):
        raise Rejected("cross_site_sign_in")
