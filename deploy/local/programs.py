"""The processes of a stack: command line, environment, and for each no secret but its own."""

import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from deploy.local import postgres
from deploy.local.credentials import WRITERS
from deploy.local.kafka import Login

ROOT = Path(__file__).parents[2]
HOST = "127.0.0.1"
LOG_LEVEL = "info"

PARTS: dict[str, tuple[str, ...]] = {
    "registry": ("api", "relay"),
    "pairing": ("api", "relay", "follower"),
    "interventions": ("api", "relay", "follower"),
    "projections": ("",),
    "gateway": ("",),
}
"""Service -> its processes: the word after `python -m services.<service>`."""


@dataclass(frozen=True)
class Program:
    name: str
    command: list[str]
    environment: Mapping[str, str] = field(default_factory=dict)
    port: int | None = None
    """Of /livez, /readyz, /metrics; None for the two servers."""
    user: str | None = None
    folder: Path = ROOT
    stop_signal: str = "TERM"

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self.port}"


@dataclass(frozen=True)
class Places:
    """Where everything is. `admin_dsn` and `kafka` are the administrators' logins; services get their own."""

    ports: Mapping[str, int]
    admin_dsn: str
    kafka: Login
    secrets: Path
    clock: str


def name_of(service: str, part: str) -> str:
    return service if part in ("", "api") else f"{service}-{part}"


def services(places: Places, words: Mapping[str, Mapping[str, str]]) -> list[Program]:
    """Every process of every service. `words` is secrets/passwords.json."""
    return [_program(places, words, service, part) for service, parts in PARTS.items() for part in parts]


def _program(places: Places, words: Mapping[str, Mapping[str, str]], service: str, part: str) -> Program:
    name = name_of(service, part)
    environment = {
        "SIAO_SERVICE": service,
        "SIAO_DATABASE": postgres.dsn_of(service, words["postgres"][service], places.admin_dsn),
        "SIAO_HTTP_HOST": HOST,
        "SIAO_HTTP_PORT": str(places.ports[name]),
        "SIAO_CLOCK": places.clock,
        "SIAO_LOG_LEVEL": LOG_LEVEL,
    }
    if service in WRITERS and part in ("api", "relay"):
        environment["SIAO_POKE"] = f"{HOST}:{places.ports[f'{service}-poke']}"
    if service in ("projections", "gateway"):
        environment["SIAO_POKE"] = f"{HOST}:{places.ports['gateway-poke']}"
    if part in ("relay", "follower") or service == "projections":
        environment |= _kafka(places.kafka, service, words["kafka"])
    if part != "relay" and service != "projections":
        environment["SIAO_SECRETS"] = str(places.secrets / service)
    if service == "gateway":
        environment["SIAO_SERVICES"] = ",".join(f"{w}=http://{HOST}:{places.ports[w]}" for w in WRITERS)
    command = [sys.executable, "-m", f"services.{service}", *filter(None, [part])]
    return Program(name, command, environment, port=places.ports[name])


def _kafka(login: Login, service: str, words: Mapping[str, str]) -> dict[str, str]:
    if not login.secured:
        return {"SIAO_KAFKA": login.address}
    return {"SIAO_KAFKA": login.address, "SIAO_KAFKA_USER": service, "SIAO_KAFKA_PASSWORD": words[service]}
