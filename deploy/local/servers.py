"""PostgreSQL and Kafka: our own as child processes, or those that SIAO_POSTGRES and SIAO_KAFKA name."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from deploy.local.home import Home
from deploy.local.kafka import Login, parse
from deploy.local.programs import Program
from shared.runtime.embedded import jars, java, kafka, osuser, postgres


@dataclass(frozen=True)
class Servers:
    """`cluster` or `broker` is None where the environment names a server that exists."""

    cluster: postgres.Cluster | None
    broker: kafka.Broker | None
    admin_dsn: str
    login: Login

    def postgres(self) -> list[Program]:
        if not self.cluster:
            return []
        user = self.cluster.user.pw_name if self.cluster.user else None
        command = postgres.command(self.cluster)
        return [Program("postgres", command, user=user, folder=self.cluster.data, stop_signal="INT")]

    def kafka(self) -> list[Program]:
        return [Program("kafka", kafka.command(self.broker))] if self.broker else []


def own_ports() -> set[str]:
    """Names of the ports that servers of our own listen on."""
    mine = {"postgres"} if not os.environ.get("SIAO_POSTGRES") else set()
    return mine | ({"kafka", "kafka-controller"} if not os.environ.get("SIAO_KAFKA") else set())


def find(home: Home, ports: Mapping[str, int], words: Mapping[str, Mapping[str, str]], console: Console) -> Servers:
    """Reads the environment, and fetches what our own servers lack. Raises SetupError."""
    cluster = broker = None
    if not (dsn := os.environ.get("SIAO_POSTGRES", "")):
        user = osuser.choose()
        cluster = postgres.Cluster(home.root / "postgres", ports["postgres"], words["postgres"]["admin"], user)
        dsn = cluster.dsn()
    if login := os.environ.get("SIAO_KAFKA", ""):
        return Servers(cluster, None, dsn, parse(login))
    broker = _broker(home.root / "kafka", ports, words["kafka"], console)
    return Servers(cluster, broker, dsn, Login(broker.address, kafka.ADMIN, words["kafka"]["admin"]))


def _broker(folder: Path, ports: Mapping[str, int], words: Mapping[str, str], console: Console) -> kafka.Broker:
    pins = jars.read_pins()
    jars.fetch(folder / "jars", pins, console)
    return kafka.Broker(
        folder=folder,
        port=ports["kafka"],
        controller_port=ports["kafka-controller"],
        java=java.find(),
        class_path=jars.class_path(folder / "jars", pins),
        passwords={name: words[name] for name in (kafka.ADMIN, kafka.CONTROLLER)},
    )
