"""A real PostgreSQL and a real Kafka of their own for one file of tests, provisioned as the launcher does it.

The tests of a file share the database and the topics, so each makes random ids. Processes die with the tests, however
those end.
"""

import asyncio
import ctypes
import os
import signal
import socket
import subprocess
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from rich.console import Console

from deploy.local import credentials, provision
from deploy.local.home import Home, here, make
from deploy.local.kafka import Login
from deploy.local.postgres import DATABASE, dsn_of
from shared.events.topics import PRINCIPALS
from shared.runtime.embedded import jars, java, kafka, osuser, postgres
from shared.runtime.settings import Clock, Settings

READY_SECONDS = 60
PR_SET_PDEATHSIG = 1


class Servers:
    """Both servers, who may log in to them, and how to break them."""

    def __init__(self, home: Home) -> None:
        self.home = home
        self.words = credentials.passwords(home.secrets)
        pins, folder = jars.read_pins(), here().root / "kafka" / "jars"
        jars.fetch(folder, pins, Console(stderr=True))
        own = {name: self.words["kafka"][name] for name in (kafka.ADMIN, kafka.CONTROLLER)}
        self.broker = kafka.Broker(
            home.root / "kafka", free_port(), free_port(), java.find(), jars.class_path(folder, pins), own
        )
        password = self.words["postgres"]["admin"]
        self.cluster = postgres.Cluster(home.root / "postgres", free_port(), password, osuser.choose())
        self._kafka: subprocess.Popen[bytes] | None = None
        self._postgres: subprocess.Popen[bytes] | None = None

    @property
    def admin_dsn(self) -> str:
        """Superuser, in the database of the services."""
        return self.cluster.dsn(DATABASE)

    def dsn(self, service: str) -> str:
        """A service's own role."""
        return dsn_of(service, self.words["postgres"][service], self.cluster.dsn())

    def kafka_login(self, principal: str) -> dict[str, str]:
        """Keyword arguments of an aiokafka client. Principals: admin, and those of the table of topics."""
        return kafka.client_options(self.broker.address, principal, self.words["kafka"][principal])

    def settings(
        self, service: str, *, clock: Clock = "real", http_port: int = 0, poke: str = "", services: str = ""
    ) -> Settings:
        """What a process of a service is started with."""
        principal = service in PRINCIPALS
        return Settings(
            service=service,
            database=self.dsn(service),
            kafka=self.broker.address,
            kafka_user=service if principal else "",
            kafka_password=self.words["kafka"][service] if principal else "",
            http_port=http_port,
            poke=poke,
            services=services,
            clock=clock,
            secrets=self.home.secrets / service,
        )

    async def start(self) -> None:
        await self.start_both()
        admin = Login(self.broker.address, kafka.ADMIN, self.words["kafka"][kafka.ADMIN])
        await provision.provision(admin, self.cluster.dsn(), self.home.secrets)

    async def start_both(self) -> None:
        """As they were left."""
        await asyncio.gather(self.start_postgres(), self.start_kafka())

    async def stop_both(self) -> None:
        await asyncio.gather(self.stop_kafka(), self.stop_postgres())

    async def start_kafka(self) -> None:
        kafka.prepare(self.broker)
        self._kafka = spawn(kafka.command(self.broker), self.home.log("kafka"), signal.SIGTERM)
        await until(lambda: kafka.ready(self.broker.address, self.words["kafka"][kafka.ADMIN]), self._kafka)

    async def start_postgres(self) -> None:
        postgres.prepare(self.cluster)
        command, log = postgres.command(self.cluster), self.home.log("postgres")
        self._postgres = spawn(command, log, signal.SIGQUIT, self.cluster)
        await until(lambda: postgres.ready(self.cluster.dsn()), self._postgres)

    async def stop_kafka(self, how: signal.Signals = signal.SIGTERM) -> None:
        if self._kafka:
            await end(self._kafka, how)

    async def stop_postgres(self, how: signal.Signals = signal.SIGINT) -> None:
        if self._postgres:
            await end(self._postgres, how)

    async def restart_kafka(self) -> None:
        """A clean restart."""
        await self.stop_kafka()
        await self.start_kafka()

    async def kill_kafka(self) -> None:
        """kill -9; `start_kafka` brings it back."""
        await self.stop_kafka(signal.SIGKILL)

    async def restart_postgres(self, how: signal.Signals = signal.SIGQUIT) -> None:
        """Every session is cut at once, and the server recovers from its log (SIGQUIT: "immediate" shutdown)."""
        await self.stop_postgres(how)
        await self.start_postgres()


@asynccontextmanager
async def running(folder: Path) -> AsyncIterator[Servers]:
    """Both servers with roles, schemas, topics and rights, in `folder`, until the end of the block."""
    home = Home(folder)
    make(home)
    credentials.make(home.secrets, holds_data=False)
    servers = Servers(home)
    try:
        await servers.start()
        yield servers
    finally:
        await servers.stop_both()


def environment(settings: Settings) -> dict[str, str]:
    """The same settings for a child process."""
    secret = {"database": settings.database, "kafka_password": settings.kafka_password}
    plain = {name: str(value) for name, value in settings.model_dump(exclude=set(secret)).items()}
    told = plain | {name: value.get_secret_value() for name, value in secret.items()}
    return os.environ | {f"SIAO_{name.upper()}": value for name, value in told.items()}


def spawn(
    command: Sequence[str], log: Path, at_our_death: signal.Signals, cluster: postgres.Cluster | None = None
) -> subprocess.Popen[bytes]:
    user = cluster.user if cluster else None
    libc = ctypes.CDLL(None)
    with log.open("ab") as out:
        return subprocess.Popen(
            command,
            cwd=cluster.data if cluster else None,
            stdout=out,
            stderr=out,
            start_new_session=True,
            preexec_fn=lambda: libc.prctl(PR_SET_PDEATHSIG, at_our_death),
            user=user.pw_uid if user else None,
            group=user.pw_gid if user else None,
            extra_groups=[] if user else None,
        )


def free_port() -> int:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        port: int = held.getsockname()[1]
        return port


async def until(ready: Callable[[], Awaitable[bool]], process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + READY_SECONDS
    while not await ready():
        if process.poll() is not None or time.monotonic() > deadline:
            raise RuntimeError(f"{process.args!r} did not start; see the logs in the session's folder")
        await asyncio.sleep(0.1)


async def end(process: subprocess.Popen[bytes], how: signal.Signals) -> None:
    if process.poll() is None:
        process.send_signal(how)
    await asyncio.to_thread(process.wait)
