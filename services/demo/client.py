"""The public HTTP API as the demonstration uses it: each agency with its own token, patient with what will pass."""

import asyncio
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Self

import httpx
from tenacity import AsyncRetrying, retry_if_exception_type, stop_after_delay, wait_random_exponential

from shared.errors import SiaoError

READER = "governor"
"""Whose token reads the figures."""
PATIENCE_SECONDS = 120
"""How long something that may pass is tried again."""
AT_ONCE = 4
"""Requests in flight."""


class Stopped(SiaoError):
    """The demonstration cannot go on; its text says why."""


class Again(Stopped):
    """Not now: the gateway is away, or asks for the same again."""


class Gateway:
    """Raises Stopped when the gateway refuses, or cannot be reached for `PATIENCE_SECONDS`."""

    def __init__(
        self,
        url: str,
        tokens: Path,
        *,
        patience: float = PATIENCE_SECONDS,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self._tokens, self._patience = tokens, patience
        limits = httpx.Limits(max_connections=AT_ONCE, keepalive_expiry=2)
        self._http = httpx.AsyncClient(
            base_url=url, timeout=httpx.Timeout(120, connect=5), limits=limits, transport=transport
        )
        self._room = asyncio.Semaphore(AT_ONCE)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._http.aclose()

    def patiently(self) -> AsyncRetrying:
        """Tries what raises Again once more, with growing pauses."""
        return AsyncRetrying(
            retry=retry_if_exception_type(Again),
            wait=wait_random_exponential(multiplier=0.1, max=3),
            stop=stop_after_delay(self._patience),
            reraise=True,
        )

    async def get(self, path: str, *, who: str = READER, after: str = "", **query: str) -> dict[str, Any]:
        """What a GET answers. `after`: waits until the figures have passed these `stream@version`."""
        headers = self._headers(who) | ({"Siao-After": after} if after else {})
        async for attempt in self.patiently():
            with attempt:
                answer = await self._send("GET", path, headers=headers, params=query)
                found: dict[str, Any] = answer.json()
        return found

    async def bulk(self, service: str, agency: str, clock: str, lines: Sequence[bytes]) -> list[dict[str, Any]]:
        """The answers to the lines, in order; fewer when the answer broke off. Raises Again; does not try again.

        Sets the service's simulated clock forward to `clock`, also where there is no line.
        """
        headers = self._headers(agency) | {"Content-Type": "application/x-ndjson", "Siao-Simulated-Clock": clock}
        path = f"/v1/{service}/commands/bulk"
        async with self._room:
            answer = await self._send("POST", path, headers=headers, content=b"".join(line + b"\n" for line in lines))
        return [json.loads(line) for line in answer.content.splitlines() if line]

    async def repeated(self, service: str, agency: str, line: bytes) -> bool:
        """Whether this command was accepted before. Sent without a clock, so that asking does not move it on."""
        headers = self._headers(agency) | {"Content-Type": "application/json"}
        try:
            answer = await self._http.post(f"/v1/{service}/commands", headers=headers, content=line)
        except httpx.TransportError:
            return False  # sending everything will tell what is wrong
        return bool(answer.headers.get("siao-repeated") == "true")

    async def _send(self, method: str, path: str, **request: Any) -> httpx.Response:
        try:
            answer = await self._http.request(method, path, **request)
        except httpx.TransportError as error:
            raise Again(f"{method} {path}: {type(error).__name__}: {error}") from error
        if answer.is_success:
            return answer
        raise _refusal(f"{method} {path}", answer)

    def _headers(self, who: str) -> dict[str, str]:
        try:
            token = (self._tokens / f"{who}.token").read_text().strip()
        except OSError as error:
            raise Stopped(f"the token of {who} cannot be read: {error}") from error
        return {"Authorization": f"Bearer {token}"}


def _refusal(what: str, answer: httpx.Response) -> Stopped:
    try:
        problem = answer.json()
    except ValueError:
        problem = {}
    kind = Again if problem.get("retryable", answer.status_code >= httpx.codes.INTERNAL_SERVER_ERROR) else Stopped
    return kind(f"{what}: {told(problem) or f'HTTP {answer.status_code}'}")


def told(problem: Mapping[str, Any]) -> str:
    """A problem document in one line, Thai first; empty for one that says nothing."""
    parts = [problem.get(name) for name in ("title_th", "title", "code", "field")]
    return " · ".join(str(part) for part in parts if part)
