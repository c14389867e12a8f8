"""What a server writes in one turn of the loop goes out at once, in order."""

import asyncio
from typing import Any, cast

from shared.runtime.one_write import Gathering


class Transport:
    def __init__(self) -> None:
        self.did: list[bytes | str] = []

    def write(self, data: bytes) -> None:
        self.did.append(data)

    def close(self) -> None:
        self.did.append("closed")

    def is_closing(self) -> bool:
        return "closed" in self.did


def gathering(transport: Transport) -> Any:
    return Gathering(cast(asyncio.Transport, transport), asyncio.get_running_loop())


async def test_head_and_body_go_out_together() -> None:
    transport = Transport()
    gathered = gathering(transport)
    gathered.write(b"head ")
    gathered.write(b"body")
    assert transport.did == []
    await asyncio.sleep(0)
    gathered.write(b"more")
    await asyncio.sleep(0)
    assert transport.did == [b"head body", b"more"]


async def test_closing_writes_first() -> None:
    transport = Transport()
    gathered = gathering(transport)
    gathered.write(b"the last")
    gathered.close()
    await asyncio.sleep(0)
    assert transport.did == [b"the last", "closed"]
    assert gathered.is_closing()
