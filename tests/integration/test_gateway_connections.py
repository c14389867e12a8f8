"""The connections between the gateway and a service: used again, and never for a command that was sent already."""

import asyncio
import json

from shared.runtime.auth import Role
from tests.support import gateway as g
from tests.support.commands import register


async def test_a_service_that_closes_its_connections_gets_each_command_once(servers, stage):
    """Without a word: it looks to the gateway like one that is kept."""
    got = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        length = next(line for line in head.lower().splitlines() if line.startswith(b"content-length:"))
        got.append(json.loads(await reader.readexactly(int(length.split()[1])))["id"])
        writer.write(b"HTTP/1.1 201 Created\r\nContent-Length: 2\r\n\r\n{}")
        writer.close()

    service = await asyncio.start_server(answer, "127.0.0.1")
    port = service.sockets[0].getsockname()[1]
    dsn = servers.dsn("gateway")
    sent = [register() for _ in range(20)]
    async with (
        service,
        g.gateway(servers, dsn, {"registry": f"http://127.0.0.1:{port}"}) as url,
        g.client(url, g.token(servers, Role.AGENCY)) as client,
    ):
        for wish in sent:
            assert (await client.post("/v1/registry/commands", json=wish)).status_code == 201
    assert got == [wish["id"] for wish in sent]
