"""Signing in to the pages: a token, posted once, becomes a cookie that no script can read."""

from urllib.parse import parse_qs

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import RedirectResponse

from services.gateway import body
from services.gateway.identity import cookie_name, keeper, same_site
from shared.errors import Rejected

router = APIRouter(include_in_schema=False)


@router.post("/session", dependencies=[Depends(same_site)])
async def sign_in(request: Request) -> Response:
    """Takes the form field `token`. The cookie lives as long as the browser, and the token in it expires by itself."""
    token = parse_qs((await body.whole(request)).decode(errors="replace")).get("token", [""])[0].strip()
    try:
        keeper(request).caller(token)
    except Rejected as refusal:
        return RedirectResponse(f"/sign-in?why={refusal.code}", 303)
    answer = RedirectResponse("/", 303)
    answer.set_cookie(
        cookie_name(request), token, httponly=True, samesite="strict", secure=request.url.scheme == "https"
    )
    return answer


@router.post("/session/end", dependencies=[Depends(same_site)])
async def sign_out(request: Request) -> Response:
    answer = RedirectResponse("/sign-in", 303)
    answer.delete_cookie(cookie_name(request), httponly=True, samesite="strict")
    return answer
