"""The connections to the write services, and the token that opens them."""

import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from functools import lru_cache

import httpx
from joserfc.jwk import OKPKey

from shared.errors import Rejected
from shared.runtime import auth, trace
from shared.runtime.auth import Caller

PASSED_ON = ("siao-simulated-clock", "siao-after", "content-type")
"""Request headers that a service gets as they came; it gets none of the others."""
PASSED_BACK = ("content-type", "siao-version", "siao-repeated", "retry-after")

RENEWED_SECONDS = auth.INTERNAL_SECONDS // 2
CONNECT_SECONDS = 5.0
SILENT_SECONDS = 300.0
"""The longest a service may say nothing while it takes in a bulk."""
KEEPALIVE_SECONDS = 4.0
"""Less than uvicorn's 5, so that a service never closes a connection just as a command is written to it."""


def client() -> httpx.AsyncClient:
    return httpx.AsyncClient(
        timeout=httpx.Timeout(SILENT_SECONDS, connect=CONNECT_SECONDS),
        limits=httpx.Limits(max_connections=None, keepalive_expiry=KEEPALIVE_SECONDS),
        headers={"accept-encoding": "identity", "user-agent": "siao-gateway"},
        trust_env=False,
    )


@asynccontextmanager
async def told() -> AsyncIterator[None]:
    """Makes a broken connection a refusal: unavailable when nothing was sent, answer_lost when it may have been."""
    try:
        yield
    except (httpx.ConnectError, httpx.ConnectTimeout) as error:
        raise Rejected("unavailable") from error
    except httpx.TransportError as error:
        raise Rejected("answer_lost") from error


class Services:
    """Where the write services listen. `urls`: service name -> base URL."""

    def __init__(self, urls: Mapping[str, str], key: OKPKey, http: httpx.AsyncClient) -> None:
        self._urls, self._key, self._http = urls, key, http
        self._token = lru_cache(auth.TOKENS)(self._mint)

    async def post(
        self, service: str, path: str, caller: Caller, headers: Mapping[str, str], body: bytes | AsyncIterator[bytes]
    ) -> httpx.Response:
        """The answer of a service up to its headers; whoever asked closes it. Raises Rejected, see `told`."""
        request = self._http.build_request(
            "POST", self._urls[service] + path, content=body, headers=self._headers(service, caller, headers)
        )
        async with told():
            return await self._http.send(request, stream=True)

    def _mint(self, service: str, caller: Caller, _: int) -> str:
        """Another one for another number: a caller's commands cost no signature each."""
        audience = auth.service_audience(service)
        return auth.mint(self._key, caller, iss=auth.GATEWAY, aud=audience, seconds=auth.INTERNAL_SECONDS)

    def _headers(self, service: str, caller: Caller, headers: Mapping[str, str]) -> dict[str, str]:
        token = self._token(service, caller, int(time.time()) // RENEWED_SECONDS)
        passed = {name: headers[name] for name in PASSED_ON if name in headers}
        return passed | {"authorization": f"Bearer {token}", "traceparent": trace.parent() or ""}


def answer_headers(response: httpx.Response) -> dict[str, str]:
    return {name: response.headers[name] for name in PASSED_BACK if name in response.headers}
