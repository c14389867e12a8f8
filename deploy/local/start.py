"""The order of a start: both servers at once, each brought up to date as soon as it answers, then all services."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from deploy.local import health, provision, trouble
from deploy.local import postgres as provisioned
from deploy.local.home import Home
from deploy.local.lines import Lines
from deploy.local.programs import Program
from deploy.local.servers import Servers
from deploy.local.supervisor import Supervisor
from shared.runtime.embedded import kafka, postgres

SERVER_SECONDS = 60
"""A PostgreSQL that was killed replays its log first, a Kafka checks its segments."""


@dataclass(frozen=True)
class Start:
    home: Home
    supervisor: Supervisor
    servers: Servers
    services: list[Program]
    lines: Lines

    async def run(self) -> None:
        """Answers when every process is ready. Raises Trouble or SetupError."""
        await asyncio.gather(self._postgres(), self._kafka())
        self.supervisor.start(self.services)
        await health.await_all(self.home, self.services, self.supervisor.states, self.lines)
        if other := await provisioned.awaits_rebuild(self.servers.admin_dsn):
            self.lines.console.print(*trouble.awaits_rebuild(other), sep="\n", style="yellow", soft_wrap=True)

    async def _postgres(self) -> None:
        cluster, dsn = self.servers.cluster, self.servers.admin_dsn
        self.lines.begin("PostgreSQL", "starting")
        if cluster:
            await asyncio.to_thread(postgres.prepare, cluster)
            self.supervisor.start(self.servers.postgres())
            await self._answers("postgres", lambda: postgres.ready(dsn))
        self.lines.begin("PostgreSQL", "bringing tables and rights up to date")
        await provision.provision_postgres(dsn, self.home.secrets, ours=cluster is not None)
        self.lines.done("PostgreSQL", f"127.0.0.1:{cluster.port}" if cluster else "the one that SIAO_POSTGRES names")

    async def _kafka(self) -> None:
        broker, login = self.servers.broker, self.servers.login
        self.lines.begin("Apache Kafka", "starting")
        if broker:
            await asyncio.to_thread(kafka.prepare, broker)
            self.supervisor.start(self.servers.kafka())
            await self._answers("kafka", lambda: kafka.ready(login.address, login.password))
        self.lines.begin("Apache Kafka", "bringing topics and rights up to date")
        await provision.provision_kafka(login, self.home.secrets)
        self.lines.done("Apache Kafka", login.address)

    async def _answers(self, name: str, ready: Callable[[], Awaitable[bool]]) -> None:
        """Raises Trouble when it dies again and again, or is not ready in time."""
        work = health.until_ready(self.home, name, ready, SERVER_SECONDS)
        await health.unless_dying(self.home, {name}, self.supervisor.states, work)
