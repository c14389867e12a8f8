"""Runs a PostgreSQL and an Apache Kafka of one's own on this machine.

Here are only folders, files and command lines; keeping the processes alive is the caller's part (deploy/local).
"""

import socket


class SetupError(Exception):
    """Something outside of Siao is missing or broken: one sentence that says what and what to do, in two languages."""

    def __init__(self, english: str, thai: str) -> None:
        super().__init__(english)
        self.thai = thai


def free_port(preferred: int = 0) -> int:
    """The preferred TCP port of 127.0.0.1 if nobody listens there, else any free one."""
    for port in (preferred, 0):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise SetupError(
        "No free TCP port on 127.0.0.1: end some of the programs that listen there.",
        "ไม่มีพอร์ต TCP ว่างบน 127.0.0.1 โปรดปิดโปรแกรมบางตัวที่ใช้พอร์ตอยู่",
    )
