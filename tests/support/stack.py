"""All of Siao's processes on a test session's servers, kept alive as the supervisor keeps them."""

import asyncio
import signal
from collections import Counter
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import asynccontextmanager

from shared.events.catalog import SERVICES
from shared.runtime import auth
from shared.runtime.auth import Role
from shared.runtime.settings import Settings
from tests.support.processes import Process
from tests.support.seeded import plan
from tests.support.servers import Servers, free_port


class Stack:
    """`points`: process -> SIAO_FAILPOINTS of each of its lives. `only`: the processes that run; all when empty."""

    def __init__(
        self,
        servers: Servers,
        workers: int = 1,
        second_relays: Sequence[str] = (),
        points: Mapping[str, Sequence[str]] | None = None,
        only: Collection[str] = (),
    ) -> None:
        self._servers = servers
        self.processes: dict[str, Process] = {}
        self.deaths: Counter[tuple[str, int]] = Counter()
        """(process, exit code) -> how often it was started again."""
        pokes = {service: f"127.0.0.1:{free_port()}" for service in (*SERVICES, "gateway")}
        pokes["projections"] = pokes["gateway"]
        for name in (name for name in plan.processes(workers, second_relays) if not only or name in only):
            module, *part = name.split()
            poke = pokes.get(module, "") if not name.endswith("relay 2") else ""
            settings = self._gateway(poke) if name == "gateway" else self._settings(module, poke)
            log = self._servers.home.log(f"stack-{name.replace(' ', '-')}")
            named = "".join(word for word in part if not word.isdigit())
            self.processes[name] = Process(module, named, settings, log)
            self.processes[name].plans = list((points or {}).get(name, ()))

    def _settings(self, service: str, poke: str) -> Settings:
        return self._servers.settings(service, http_port=free_port(), poke=poke)

    def _gateway(self, poke: str) -> Settings:
        urls = ",".join(
            f"{service}={self.processes[f'{service} api'].url}"
            for service in SERVICES
            if f"{service} api" in self.processes
        )
        return self._servers.settings("gateway", http_port=free_port(), services=urls, poke=poke)

    @property
    def gateway(self) -> str:
        return self.processes["gateway"].url

    def token(self, role: Role = Role.AGENCY, agency: str = "example-office", districts: tuple[str, ...] = ()) -> str:
        key = auth.load_key((self._servers.home.secrets / "issuer.key.json").read_text())
        caller = auth.Caller(f"{agency}-system", agency, role, districts)
        return auth.mint(key, caller, iss=auth.ISSUER, aud=auth.GATEWAY, seconds=3600)

    async def keep_alive(self) -> None:
        """Starts again what died, until cancelled."""
        while True:
            for name, process in self.processes.items():
                if process.exit_code is not None:
                    self.deaths[name, process.exit_code] += 1
                    process.spawn()
            await asyncio.sleep(0.2)

    def no_more_faults(self) -> None:
        """Nothing is held, and who starts from now on meets no fail point."""
        for process in self.processes.values():
            process.plans.clear()
            process.send(signal.SIGCONT)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        keeper: asyncio.Task[None] | None = None
        try:
            await asyncio.gather(*(process.start() for process in self.processes.values()))
            keeper = asyncio.create_task(self.keep_alive())
            yield
        finally:
            if keeper:
                keeper.cancel()
            await asyncio.gather(*(process.end() for process in self.processes.values()))
