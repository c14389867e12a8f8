"""Who is asking: a bearer token, or for the pages a session cookie that holds the same token.

What FastAPI calls here is async although nothing waits: it would send a plain function through a thread and back, which
costs more than checking a token.
"""

from typing import Annotated

from fastapi import Depends, Header, Request

from shared.errors import Rejected
from shared.runtime import auth
from shared.runtime.auth import Caller, Verifier


def cookie_name(request: Request) -> str:
    """Browsers keep cookies by host, not by port; two stacks on one machine must not sign each other out."""
    return f"siao_session_{request.url.port or 'default'}"


async def _doorkeeper(request: Request) -> Verifier:
    keeper: Verifier = request.app.state.doorkeeper
    return keeper


Keeper = Annotated[Verifier, Depends(_doorkeeper)]
Authorization = Annotated[str | None, Header(include_in_schema=False)]


async def publisher(keeper: Keeper, authorization: Authorization = None) -> Caller:
    """Commands take the bearer token only: a cookie travels by itself, and must never be able to write."""
    return keeper.caller(auth.bearer(authorization))


async def session_token(request: Request, authorization: Authorization = None) -> str:
    held = request.cookies.get(cookie_name(request))
    return held if held and authorization is None else auth.bearer(authorization)


SessionToken = Annotated[str, Depends(session_token)]


async def reader(keeper: Keeper, token: SessionToken) -> Caller:
    return keeper.caller(token)


Publisher = Annotated[Caller, Depends(publisher)]
Reader = Annotated[Caller, Depends(reader)]


async def same_site(sec_fetch_site: Annotated[str | None, Header()] = None) -> None:
    """Refuses a sign-in that another site's page posts (Fetch Metadata; browsers set it, scripts cannot)."""
    if sec_fetch_site not in (None, "same-origin", "none"):
        raise Rejected("cross_site_sign_in")
