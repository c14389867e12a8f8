"""Commands on their way to the service that owns them: checked for who sends them, passed on byte for byte."""

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import aiohttp
from fastapi import APIRouter, Request, Response
from fastapi.responses import StreamingResponse

from services.gateway import access, body, upstream
from services.gateway.identity import Publisher
from services.gateway.queries import whereabouts
from shared.errors import Rejected
from shared.events.catalog import SERVICES
from shared.runtime import after, problems
from shared.runtime.auth import Caller

Endpoint = Callable[[Request, Caller], Awaitable[Response]]

router = APIRouter(prefix="/v1", tags=["commands"])


def _one(service: str) -> Endpoint:
    async def send_command(request: Request, caller: Publisher) -> Response:
        """Records one command. The answer is its receipt, or a problem document that says what is wrong."""
        sent = await body.whole(request)
        type_name, data = body.peek(sent)
        access.may_publish(caller, service, type_name, *await _places(request, caller, type_name, data))
        services: upstream.Services = request.app.state.services
        answer = await services.post(service, "/commands", caller, request.headers, sent)
        async with upstream.told():
            content = await answer.read()
        return Response(content, answer.status, upstream.answer_headers(answer))

    return send_command


def _many(service: str) -> Endpoint:
    async def send_bulk(request: Request, caller: Publisher) -> Response:
        """Records many commands, one JSON object a line; the answer has one line for each, in the same order."""
        access.may_publish(caller, service, None)
        services: upstream.Services = request.app.state.services
        lines = body.limited(request, body.BULK_BYTES)
        answer = await services.post(service, "/commands/bulk", caller, request.headers, lines)
        return StreamingResponse(_passed_back(answer), answer.status, upstream.answer_headers(answer))

    return send_bulk


STATED = {"RegisterHousehold.v1": "village", "EnrolHelper.v1": "district", "CorrectHelper.v1": "district"}
"""Command type -> where it says itself what place it is about."""
HOUSEHOLDS = {"MergeHousehold.v1": ("household", "into"), "UnmergeHousehold.v1": ("out_of",)}
"""Command type -> the households that it is about, where that is not `household` alone. One that is merged is where the
one is into which it was."""


async def _places(request: Request, caller: Caller, type_name: str | None, data: dict[str, Any]) -> list[str]:
    """Where a command belongs; looked up only for a caller who is limited to some districts.

    Of a household that moves, or whose place is corrected, that is where it is now: nobody takes one from elsewhere.
    """
    if not caller.districts:
        return []
    if stated := data.get(STATED.get(type_name or "", "")):
        return [str(stated)]
    pool = request.app.state.pool
    await request.app.state.arrivals.of(after.parse(request.headers.get("siao-after")))
    named = HOUSEHOLDS.get(type_name or "", ("household",))
    return [await whereabouts.of_household(pool, data.get(name), f"data.{name}") for name in named]


async def _passed_back(answer: aiohttp.ClientResponse) -> AsyncIterator[bytes]:
    """The answer's lines. If the service goes away, a line says so in place of the first one that is lacking; it is
    the last."""
    answered, begun = 0, b""
    try:
        async with upstream.told():
            async for chunk in answer.content.iter_any():
                lines, end, begun = (begun + chunk).rpartition(b"\n")
                answered += lines.count(b"\n") + len(end)
                yield lines + end
        yield begun
    except Rejected as lost:
        document = problems.document(lost)
        line = {"line": answered + 1, "status": document["status"], "problem": document}
        yield json.dumps(line, ensure_ascii=False).encode() + b"\n"
    finally:
        answer.close()


for _service in SERVICES:
    _path = f"/{_service}/commands"
    router.post(_path, status_code=201, summary=f"One command to {_service}")(_one(_service))
    router.post(f"{_path}/bulk", summary=f"Many commands to {_service}, as NDJSON")(_many(_service))
