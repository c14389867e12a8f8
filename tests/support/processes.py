"""Siao's own processes as children of a test: started, killed, started again."""

import asyncio
import ctypes
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx

from shared.runtime.settings import Settings
from tests.support.servers import PR_SET_PDEATHSIG, environment

ROOT = Path(__file__).parents[2]
READY_SECONDS = 40


class Process:
    """`python -m services.<module> [part]` with its settings; dies with the test session."""

    def __init__(self, module: str, part: str, settings: Settings, log: Path, **environment: str) -> None:
        self.command = [sys.executable, "-m", f"services.{module}", *([part] if part else [])]
        self.settings, self._log, self._more = settings, log, environment
        self.folder = ROOT
        """Of the version that runs."""
        self.plans: list[str] = []
        """SIAO_FAILPOINTS of its next lives, the nearest first."""
        self._child: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.settings.http_port}"

    async def start(self) -> None:
        """Returns once it says that it is ready."""
        self.spawn()
        await self.ready()

    def spawn(self) -> None:
        libc = ctypes.CDLL(None)
        points = {"SIAO_FAILPOINTS": self.plans.pop(0)} if self.plans else {}
        with self._log.open("ab") as out:
            self._child = subprocess.Popen(
                self.command,
                cwd=self.folder,
                env=environment(self.settings) | self._more | points,
                stdout=out,
                stderr=out,
                start_new_session=True,
                preexec_fn=lambda: libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL),
            )

    async def ready(self) -> None:
        deadline = time.monotonic() + READY_SECONDS
        async with httpx.AsyncClient() as client:
            while True:
                try:
                    if (await client.get(f"{self.url}/readyz")).status_code == httpx.codes.OK:
                        return
                except httpx.TransportError:
                    pass
                if time.monotonic() > deadline or self.exit_code is not None:
                    raise RuntimeError(f"{self.command} is not ready; see {self._log}")
                await asyncio.sleep(0.1)

    @property
    def pid(self) -> int | None:
        return self._child.pid if self._child else None

    @property
    def exit_code(self) -> int | None:
        return self._child.poll() if self._child else None

    def send(self, how: signal.Signals) -> None:
        if self._child and self._child.poll() is None:
            self._child.send_signal(how)

    async def exited(self, within: float = 60) -> int:
        """The code with which it ends by itself. Raises TimeoutError."""
        async with asyncio.timeout(within):
            while (code := self.exit_code) is None:
                await asyncio.sleep(0.05)
        return code

    async def end(self, how: signal.Signals = signal.SIGKILL) -> None:
        child = self._child  # whoever keeps it alive may start another one meanwhile
        if child and child.poll() is None:
            child.send_signal(how)
            while child.poll() is None:
                await asyncio.sleep(0.02)


@asynccontextmanager
async def running(*processes: Process) -> AsyncIterator[None]:
    try:
        await asyncio.gather(*(process.start() for process in processes))
        yield
    finally:
        await asyncio.gather(*(process.end() for process in processes))
