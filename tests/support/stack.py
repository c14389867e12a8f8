"""All of Siao's processes on a test session's servers, kept alive as the supervisor keeps them."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from shared.events.catalog import SERVICES
from shared.events.topics import FOLLOWERS
from shared.runtime import auth
from shared.runtime.auth import Role
from shared.runtime.settings import Settings
from tests.support.processes import Process
from tests.support.servers import Servers, free_port


class Stack:
    def __init__(self, servers: Servers, **environment: str) -> None:
        self._servers = servers
        self.processes: dict[str, Process] = {}
        for service in SERVICES:
            poke = f"127.0.0.1:{free_port()}"
            parts = ["api", "relay", *(["follower"] if service in FOLLOWERS else [])]
            for part in parts:
                self._add(f"{service} {part}", self._settings(service, poke), environment)
        self._add("projections", self._settings("projections"), environment)
        urls = ",".join(f"{service}={self.processes[f'{service} api'].url}" for service in SERVICES)
        gateway = servers.settings("gateway", http_port=free_port(), services=urls)
        self._add("gateway", gateway, environment)

    def _settings(self, service: str, poke: str = "") -> Settings:
        return self._servers.settings(service, http_port=free_port(), poke=poke)

    def _add(self, name: str, settings: Settings, environment: dict[str, str]) -> None:
        module, _, part = name.partition(" ")
        log = self._servers.home.log(f"stack-{name.replace(' ', '-')}")
        self.processes[name] = Process(module, part, settings, log, **environment)

    @property
    def gateway(self) -> str:
        return self.processes["gateway"].url

    def token(self, role: Role = Role.AGENCY, agency: str = "example-office") -> str:
        key = auth.load_key((self._servers.home.secrets / "issuer.key.json").read_text())
        caller = auth.Caller(f"{agency}-system", agency, role)
        return auth.mint(key, caller, iss=auth.ISSUER, aud=auth.GATEWAY, seconds=3600)

    async def keep_alive(self) -> None:
        """Starts again what died, until cancelled."""
        while True:
            for process in self.processes.values():
                if process.exit_code is not None:
                    process.spawn()
            await asyncio.sleep(0.2)

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
