"""Which ports of 127.0.0.1 the parts listen on: those of the last start, else the usual ones, else free ones."""

import socket
from collections.abc import Iterable, Iterator
from contextlib import ExitStack

from deploy.local.home import Home, read_json, write_json
from deploy.local.trouble import Trouble

USUAL: dict[str, int] = {
    "gateway": 8080,
    "postgres": 5432,
    "kafka": 9092,
    "kafka-controller": 9093,
    "registry": 8101,
    "registry-relay": 8102,
    "pairing": 8103,
    "pairing-relay": 8104,
    "pairing-follower": 8105,
    "interventions": 8106,
    "interventions-relay": 8107,
    "interventions-follower": 8108,
    "projections": 8109,
    "registry-poke": 8111,
    "pairing-poke": 8112,
    "interventions-poke": 8113,
    "gateway-poke": 8114,
}
SERVERS = frozenset({"postgres", "kafka", "kafka-controller"})
UDP_SUFFIX = "-poke"
STEP, STEPS = 100, 20
"""A second checkout finds 8180 for 8080, a third 8280, and so on."""


class Ports(dict[str, int]):
    """Name -> port. Held against other starts until `release` or the end of this process: a process of ours that died
    and is about to be started again must find its port."""

    def __init__(self) -> None:
        super().__init__()
        self._held = ExitStack()

    def take(self, name: str, candidates: Iterable[int]) -> None:
        kind = socket.SOCK_DGRAM if name.endswith(UDP_SUFFIX) else socket.SOCK_STREAM
        for port in candidates:
            if port not in self.values() and is_free(port, kind) and (held := _hold(port)):
                self._held.enter_context(held)
                self[name] = port
                return
        raise Trouble(
            f"No free port for {name} on this machine: end some of the programs that listen on 127.0.0.1.",
            f"ไม่มีพอร์ตว่างสำหรับ {name} โปรดปิดโปรแกรมอื่นที่ใช้พอร์ตในเครื่องนี้",
        )

    def release(self) -> None:
        self._held.close()


def choose(home: Home, names: Iterable[str] = USUAL) -> Ports:
    """Chooses, holds and remembers. Raises Trouble when the machine has no free port left."""
    remembered, ports = read_json(home.ports), Ports()
    for name in names:
        ports.take(name, _candidates(name, remembered.get(name)))
    write_json(home.ports, ports)
    return ports


def is_free(port: int, kind: socket.SocketKind = socket.SOCK_STREAM) -> bool:
    """Whether a server could listen there now. SO_REUSEADDR, as servers do: connections of an ended one may linger."""
    with socket.socket(socket.AF_INET, kind) as probe:
        if kind == socket.SOCK_STREAM:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


def _candidates(name: str, remembered: int | None) -> Iterator[int]:
    if remembered:
        yield remembered
    yield from range(USUAL[name], USUAL[name] + STEP * STEPS, STEP)


def _hold(port: int) -> socket.socket | None:
    """Keeps two starts that look for ports at the same moment apart; None when another start has it.

    An abstract socket (Linux, unix(7)): it belongs to the network namespace, as ports do, and goes with its process.
    """
    mark = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        mark.bind(f"\0siao-port-{port}")
    except OSError:
        mark.close()
        return None
    return mark
