"""The two routes by which a write service takes commands: one, and many (NDJSON).

Only the gateway gets in: each request carries a token that it minted for this service.
"""

import json
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime
from itertools import islice
from tempfile import SpooledTemporaryFile
from typing import IO

from joserfc.jwk import OKPKey
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from shared.commands.batch import Answer, Outcome
from shared.commands.desk import MOST, PATIENCE, Desk
from shared.commands.reading import MAX_COMMAND_BYTES, Reader, Submission
from shared.errors import Rejected
from shared.runtime import auth, logs, problems, trace
from shared.runtime.auth import Caller
from shared.runtime.postgres import TRANSIENT

MAX_BULK_BYTES = 67_108_864
MAX_LINES = 100_000
IN_MEMORY = 1_048_576
"""Bytes of a bulk body kept in memory; more goes to an unnamed temporary file."""
NDJSON = "application/x-ndjson"

log = logs.get(__name__)

Before = Callable[[Request], Awaitable[None]]
"""Runs once a request, behind the check of its token and ahead of its commands."""


def routes(service: str, reader: Reader, gateway_key: OKPKey, before: Before) -> list[Route]:
    """The routes of one service, whose desk is `app.state.desk`."""
    gateway = auth.Verifier(gateway_key, iss=auth.GATEWAY, aud=auth.service_audience(service))

    def caller(request: Request) -> Caller:
        return gateway.caller(auth.bearer(request.headers.get("authorization")))

    async def one(request: Request) -> Response:
        sender = caller(request)
        await before(request)
        submission = reader.read(await _body(request, MAX_COMMAND_BYTES), sender)
        desk: Desk = request.app.state.desk
        [outcome] = await desk.submit([submission], iter(PATIENCE))
        return _single(outcome)

    async def many(request: Request) -> Response:
        sender = caller(request)
        await before(request)
        spool = await _spool(request)
        return StreamingResponse(_answers(spool, reader, sender, request.app.state.desk), media_type=NDJSON)

    return [Route("/commands", one, methods=["POST"]), Route("/commands/bulk", many, methods=["POST"])]


async def _answers(spool: IO[bytes], reader: Reader, caller: Caller, desk: Desk) -> AsyncIterator[bytes]:
    with spool:
        lines, patience = _lines(spool), iter(PATIENCE)
        while chunk := list(islice(lines, MOST)):
            outcomes = await _settle([_read(reader, line, caller) for _, line in chunk], desk, patience)
            yield b"".join(_line(number, outcome) for (number, _), outcome in zip(chunk, outcomes, strict=True))


async def _settle(read: list[Submission | Rejected], desk: Desk, patience: Iterator[float]) -> list[Outcome]:
    submissions = [item for item in read if isinstance(item, Submission)]
    try:
        decided = iter(await desk.submit(submissions, patience))
    except TRANSIENT:
        decided = iter([Rejected("unavailable")] * len(submissions))
    return [next(decided) if isinstance(item, Submission) else item for item in read]


def _read(reader: Reader, line: bytes, caller: Caller) -> Submission | Rejected:
    try:
        return reader.read(line, caller)
    except Rejected as refusal:
        return refusal
    except Exception:  # whatever one line breaks, the others are not its concern
        log.exception("line_unreadable")
        return Rejected("internal", trace=trace.current())


def simulated_time(header: str | None) -> datetime | None:
    """The time in a Siao-Simulated-Clock header; it may not lie in the real future. Raises Rejected clock_invalid."""
    if header is None:
        return None
    with suppress(ValueError, OverflowError):
        moment = datetime.fromisoformat(header)
        if moment.tzinfo is not None and moment.astimezone(UTC) <= datetime.now(UTC):
            return moment
    raise Rejected("clock_invalid", field="Siao-Simulated-Clock")


def _single(outcome: Outcome) -> Response:
    if isinstance(outcome, Rejected):
        return problems.answer(outcome)
    headers = {"Siao-Version": outcome.versions} if outcome.versions else {}
    if outcome.repeated:
        headers["Siao-Repeated"] = "true"
    return Response(outcome.receipt, _status(outcome), headers, "application/json")


def _status(answer: Answer) -> int:
    return 201 if answer.versions and not answer.repeated else 200


def _line(number: int, outcome: Outcome) -> bytes:
    if isinstance(outcome, Rejected):
        told = {"line": number, "status": outcome.problem.status, "problem": problems.document(outcome)}
        return json.dumps(told, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"
    repeated = b"true" if outcome.repeated else b"false"
    head = b'{"line":%d,"status":%d,"repeated":%s,"receipt":' % (number, _status(outcome), repeated)
    return head + outcome.receipt + b"}\n"


async def _body(request: Request, limit: int) -> bytes:
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > limit:
            raise Rejected("body_too_large", limit=limit)
    return bytes(body)


async def _spool(request: Request) -> IO[bytes]:
    """The whole body before the first answer: a client that only reads once it has sent all must not be waited for."""
    spool = SpooledTemporaryFile(IN_MEMORY)  # noqa: SIM115 closed by whoever reads it
    size = lines = 0
    async for part in request.stream():
        size, lines = size + len(part), lines + part.count(b"\n")
        if size > MAX_BULK_BYTES:
            raise Rejected("body_too_large", limit=MAX_BULK_BYTES)
        if lines > MAX_LINES:
            raise Rejected("too_many_lines", limit=MAX_LINES)
        spool.write(part)
    spool.seek(0)
    return spool


def _lines(spool: IO[bytes]) -> Iterator[tuple[int, bytes]]:
    """Each line that is not blank, without its end, and its number from 1 on in the whole body.

    One over the limit is cut where the limit shows, and read to its end.
    """
    number = 0
    while line := spool.readline(MAX_COMMAND_BYTES + 1):
        number, rest = number + 1, line
        while not rest.endswith(b"\n") and (rest := spool.readline(MAX_COMMAND_BYTES)):
            pass
        if line.strip():
            yield number, line.rstrip(b"\r\n")
