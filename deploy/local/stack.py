"""A whole stack for as long as it is wanted: whatever happens in between, nothing of it is left running."""

import asyncio
import os
import signal
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil
from rich.console import Console

from deploy.local import credentials, home, ports, programs, servers, strays
from deploy.local.home import Home
from deploy.local.lines import Lines
from deploy.local.mender import Mender
from deploy.local.provision import provision_postgres
from deploy.local.start import Start
from deploy.local.supervisor import Supervisor
from deploy.local.trouble import Trouble, full_disk, has_room

LOOK_SECONDS = 1.0
MENDED = (
    "The projections' tables were gone. They are made again, and filled from the log; figures wait, then are marked "
    "stale until all is read. · ตารางสรุปหายไป ระบบสร้างใหม่และกำลังเติมจากบันทึกเหตุการณ์"
)
NOT_MENDED = (
    "The projections' tables are gone and cannot be made again; it is tried every second. · "
    "ตารางสรุปหายไปและยังสร้างใหม่ไม่ได้ ระบบจะลองใหม่ทุกวินาที:"
)
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@dataclass(frozen=True)
class Stack:
    home: Home
    clock: str
    ports: Mapping[str, int]
    supervisor: Supervisor
    mender: Mender

    @property
    def gateway(self) -> str:
        return f"http://{programs.HOST}:{self.ports['gateway']}"

    def watch(self, console: Console) -> None:
        """Says what died and was started again, and which tables were gone and are made again; ends only by a signal,
        or with Trouble when supervisord itself died."""
        asyncio.run(self._watch(console))
        raise Trouble(
            "The supervisor was killed, so everything was stopped: run the same command again.",
            "ตัวควบคุมกระบวนการถูกปิด ระบบจึงหยุดทั้งหมด โปรดสั่งคำสั่งเดิมอีกครั้ง",
        )

    async def _watch(self, console: Console) -> None:
        known: dict[str, int] = {}
        told = ""
        try:
            while self.supervisor.process.poll() is None:
                known |= self._pids(console, known)
                if await self.mender.look():
                    console.print(MENDED, style="yellow", soft_wrap=True)
                if self.mender.failure not in (told, ""):
                    console.print(f"{NOT_MENDED} {self.mender.failure}", style="red", soft_wrap=True, markup=False)
                told = self.mender.failure
                await asyncio.sleep(LOOK_SECONDS)
        finally:
            await self.mender.close()

    def _pids(self, console: Console, known: Mapping[str, int]) -> dict[str, int]:
        now = {name: state["pid"] for name, state in self.supervisor.states().items() if state["pid"]}
        for name in now.keys() & known.keys():
            if now[name] != known[name]:
                console.print(_restarted(name, now[name]), style="yellow")
        return now


@contextmanager
def running(where: Home, console: Console, *, clock: str, made_by: str) -> Iterator[Stack]:
    """A healthy stack in this home, stopped at the end. Raises Trouble, SetupError, or KeyboardInterrupt for a signal.

    `clock` is what a new home shall run on; one that exists keeps its own.
    """
    home.make(where)
    if not has_room(where.root):
        raise full_disk()  # rather than half a start
    with home.alone(where), _signals_interrupt():
        home.write_json(launcher(where), {"pid": os.getpid(), "started": psutil.Process().create_time()})
        if swept := strays.sweep(where):
            console.print(f"Ended {swept} processes of an earlier run. · ปิดกระบวนการที่ค้างจากครั้งก่อน {swept} รายการ")
        credentials.make(where.secrets, holds_data=where.stack.exists())
        clock = home.claim(where, clock=clock, made_by=made_by)
        try:
            yield _start(where, console, clock)
        finally:
            _stop(where, console)


def _restarted(name: str, pid: int) -> str:
    return f"{name} died and was started again (process {pid}). · {name} หยุดทำงานและเริ่มใหม่แล้ว"


def launcher(where: Home) -> Path:
    return where.run / "launcher.json"


def _start(where: Home, console: Console, clock: str) -> Stack:
    words = credentials.passwords(where.secrets)
    chosen = ports.choose(where, [name for name in ports.USUAL if name not in ports.SERVERS - servers.own_ports()])
    both = servers.find(where, chosen, words, console)
    services = programs.services(programs.Places(chosen, both.admin_dsn, both.login, where.secrets, clock), words)
    supervisor = Supervisor(where, [*both.postgres(), *both.kafka(), *services])
    with Lines(console) as lines:
        asyncio.run(Start(where, supervisor, both, services, lines).run())
    mender = Mender(both.admin_dsn, lambda: provision_postgres(both.admin_dsn, where.secrets, ours=bool(both.cluster)))
    return Stack(where, clock, chosen, supervisor, mender)


def _stop(where: Home, console: Console) -> None:
    for number in SIGNALS:
        signal.signal(number, signal.SIG_IGN)  # it ends by itself, soon
    console.print("Stopping … · กำลังหยุด …")
    begun = time.monotonic()
    strays.sweep(where)
    console.print(f"Stopped in {time.monotonic() - begun:.1f} s. · หยุดแล้ว")


@contextmanager
def _signals_interrupt() -> Iterator[None]:
    """Makes SIGTERM and SIGHUP do what Ctrl-C does, also for a launcher in the background, whose SIGINT is ignored."""
    before = {number: signal.getsignal(number) for number in SIGNALS}
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for number in SIGNALS[1:]:
        signal.signal(number, lambda *_: signal.raise_signal(signal.SIGINT))
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
