"""One empty datagram after a commit wakes whoever passes on what was committed, or waits to read it; a lost one costs
a part of a second, not an event."""

import socket
from contextlib import suppress
from types import TracebackType

from shared.runtime.settings import Settings


class Poker:
    def __init__(self, settings: Settings) -> None:
        self._address = settings.poke_address
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.setblocking(False)

    def __enter__(self) -> "Poker":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._socket.close()

    def __call__(self) -> None:
        if self._address is not None:
            with suppress(OSError):
                self._socket.connect(self._address)  # binds it to the one way there, not to every network
                self._socket.send(b"")
