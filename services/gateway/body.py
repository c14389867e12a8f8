"""Reading what a caller sends: never more than the limit, and for one command just enough to know who may send it."""

import json
from collections.abc import AsyncIterator
from typing import Any

from fastapi import Request

from shared.errors import Rejected

COMMAND_BYTES = 256 * 1024
BULK_BYTES = 64 * 1024 * 1024


async def limited(request: Request, limit: int) -> AsyncIterator[bytes]:
    """The body as it comes in. Raises Rejected body_too_large, by what is announced before a byte is read."""
    announced = request.headers.get("content-length", "0")
    if not announced.isdigit() or int(announced) > limit:
        raise Rejected("body_too_large", limit=limit)
    size = 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > limit:
            raise Rejected("body_too_large", limit=limit)
        yield chunk


async def whole(request: Request) -> bytes:
    """One command's bytes. Raises Rejected body_too_large."""
    return b"".join([chunk async for chunk in limited(request, COMMAND_BYTES)])


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object whose names occur once: gateway and service must not read two different commands in one body."""
    told = dict(pairs)
    if len(told) != len(pairs):
        names = [name for name, _ in pairs]
        raise Rejected("json_duplicate_name", field=next(name for name in names if names.count(name) > 1))
    return told


def peek(body: bytes) -> tuple[str, dict[str, Any]]:
    """A command's type, "" where there is none, and its data; as far as they can be read: the service judges the rest.

    Raises Rejected nul_byte, json_malformed, json_not_object or json_duplicate_name.
    """
    if b"\0" in body:
        raise Rejected("nul_byte")
    try:
        command = json.loads(body, object_pairs_hook=_once)
    except (ValueError, RecursionError) as error:
        raise Rejected("json_malformed") from error
    match command:
        case {"type": str(type_name), "data": dict(data)}:
            return type_name, data
        case dict():
            return str(command.get("type", "")), {}
        case _:
            raise Rejected("json_not_object")
