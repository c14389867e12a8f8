"""The connections to the write services, and the token that opens them."""

import asyncio
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from functools import lru_cache

import aiohttp
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
"""The longest that a bulk may stand still on its way to a service, and that a service may say nothing to it."""
KEEPALIVE_SECONDS = 4.0
"""Less than uvicorn's 5, so that a service never closes a connection just as a command is written to it."""


def client() -> aiohttp.ClientSession:
    """As many connections as there are requests at once; a POST is never sent twice."""
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=0, keepalive_timeout=KEEPALIVE_SECONDS),
        timeout=aiohttp.ClientTimeout(connect=CONNECT_SECONDS, sock_read=SILENT_SECONDS),
        headers={"accept-encoding": "identity", "user-agent": "siao-gateway"},
        cookie_jar=aiohttp.DummyCookieJar(),
        auto_decompress=False,
    )


@asynccontextmanager
async def told() -> AsyncIterator[None]:
    """Makes a broken connection a refusal: unavailable when nothing was sent, answer_lost when it may have been.

    What the body itself refused while it was passed on is raised as it is.
    """
    try:
        yield
    except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError) as error:
        raise Rejected("unavailable") from error
    except (aiohttp.ClientError, TimeoutError) as error:
        if isinstance(error.__cause__, Rejected):
            raise error.__cause__ from None
        raise Rejected("answer_lost") from error


class Services:
    """Where the write services listen. `urls`: service name -> base URL."""

    def __init__(self, urls: Mapping[str, str], key: OKPKey, http: aiohttp.ClientSession) -> None:
        self._urls, self._key, self._http = urls, key, http
        self._token = lru_cache(auth.TOKENS)(self._mint)

    async def post(
        self, service: str, path: str, caller: Caller, headers: Mapping[str, str], body: bytes | AsyncIterator[bytes]
    ) -> aiohttp.ClientResponse:
        """The answer of a service up to its headers; whoever asked closes it. Raises Rejected, see `told`."""
        async with told(), asyncio.timeout(SILENT_SECONDS) as silence:
            return await self._http.post(
                self._urls[service] + path,
                data=body if isinstance(body, bytes) else _moving(body, silence),
                headers=self._headers(service, caller, headers),
                allow_redirects=False,
            )

    def _mint(self, service: str, caller: Caller, _: int) -> str:
        """Another one for another number: a caller's commands cost no signature each."""
        audience = auth.service_audience(service)
        return auth.mint(self._key, caller, iss=auth.GATEWAY, aud=audience, seconds=auth.INTERNAL_SECONDS)

    def _headers(self, service: str, caller: Caller, headers: Mapping[str, str]) -> dict[str, str]:
        token = self._token(service, caller, int(time.time()) // RENEWED_SECONDS)
        passed = {name: headers[name] for name in PASSED_ON if name in headers}
        return passed | {"authorization": f"Bearer {token}", "traceparent": trace.parent() or ""}


async def _moving(body: AsyncIterator[bytes], silence: asyncio.Timeout) -> AsyncIterator[bytes]:
    """Each chunk begins the silence anew: aiohttp counts it only once all is sent."""
    async for chunk in body:
        with suppress(RuntimeError):  # answered already, before all was sent
            silence.reschedule(asyncio.get_running_loop().time() + SILENT_SECONDS)
        yield chunk


def answer_headers(response: aiohttp.ClientResponse) -> dict[str, str]:
    return {name: response.headers[name] for name in PASSED_BACK if name in response.headers}
