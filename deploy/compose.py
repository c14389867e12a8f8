"""What docker-compose.yml runs once before the services: makes every secret, and brings both servers up to date.

`python -m deploy.compose secrets`     makes /secrets, one folder a container; nothing has a default
`python -m deploy.compose provision`   users, rights, topics, tables
`python -m deploy.compose token NAME [ROLE]`   prints a token for an agency
"""

import asyncio
import base64
import os
import shlex
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path
from string import Template

from deploy.local import credentials, postgres, provision
from deploy.local.home import write_private
from deploy.local.kafka import Login
from deploy.local.trouble import Trouble, awaits_rebuild, explained
from shared.runtime import auth
from shared.runtime.embedded import kafka

SECRETS = Path("/secrets")
POSTGRES, KAFKA = "postgres:5432", "kafka:9092"
SERVICE_USER, KAFKA_USER = 10001, 1000
"""Numbers of the users that containers run as: deploy/Dockerfile's, and the one of Kafka's image."""
KAFKA_DATA = "/var/lib/kafka/data/log"
TOKEN_SECONDS = 90 * 86_400


def make_secrets(folder: Path) -> None:
    """Safe to repeat. Each container later mounts its own folder only."""
    credentials.make(folder, holds_data=(folder / "made").exists())
    words = credentials.passwords(folder)
    for service in credentials.SERVICES:
        write_private(folder / service / "environment", "\n".join(_environment(service, words)) + "\n")
    for server in ("postgres", "kafka"):
        (folder / server).mkdir(mode=0o700, exist_ok=True)
    write_private(folder / "postgres" / "password", words["postgres"]["admin"])
    _kafka(folder / "kafka", words["kafka"])
    if os.geteuid() == 0:
        _hand_over(folder)
    write_private(folder / "made", "")


def _environment(service: str, words: dict[str, dict[str, str]]) -> Iterator[str]:
    """Lines for a shell: the two passwords of a service, and no more."""
    dsn = postgres.dsn_of(service, words["postgres"][service], f"postgresql://{POSTGRES}")
    yield f"SIAO_DATABASE={shlex.quote(dsn)}"
    if service in words["kafka"]:
        yield f"SIAO_KAFKA_PASSWORD={shlex.quote(words['kafka'][service])}"


def _kafka(folder: Path, words: dict[str, str]) -> None:
    """server.properties of the embedded broker, and the arguments that format its disk: a cluster id, made once."""
    template = Template(kafka.TEMPLATE.read_text(encoding="utf-8"))
    properties = folder / "server.properties"
    own = {"admin_password": words[kafka.ADMIN], "ctl_password": words[kafka.CONTROLLER]}
    write_private(properties, template.substitute(port=9092, controller_port=9093, data=KAFKA_DATA, **own))
    if not (folder / "format.arguments").exists():
        cluster = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=").replace("-", "0")
        scram = f"SCRAM-SHA-512=[name={kafka.ADMIN},password={words[kafka.ADMIN]}]"
        arguments = ["format", "-t", cluster, "-c", "/secrets/server.properties", "--ignore-formatted"]
        write_private(folder / "format.arguments", "\n".join([*arguments, "--add-scram", scram]))


def _hand_over(folder: Path) -> None:
    owners = {**dict.fromkeys(credentials.SERVICES, SERVICE_USER), "kafka": KAFKA_USER}
    for name, owner in owners.items():
        for path in (folder / name, *(folder / name).iterdir()):
            os.chown(path, owner, owner)


def bring_up_to_date(folder: Path) -> None:
    """Raises Trouble when a server does not answer; the container is then started again."""
    words = credentials.passwords(folder)
    dsn = f"postgresql://admin:{words['postgres']['admin']}@{POSTGRES}/postgres"
    asyncio.run(provision.provision(Login(KAFKA, kafka.ADMIN, words["kafka"][kafka.ADMIN]), dsn, folder))
    if other := asyncio.run(postgres.awaits_rebuild(dsn)):
        print(*awaits_rebuild(other), sep="\n")


def token(folder: Path, agency: str, role: str = auth.Role.AGENCY) -> str:
    caller = auth.Caller(actor=f"{agency}-system", agency=agency, role=auth.Role(role))
    return credentials.caller_token(folder, caller, seconds=TOKEN_SECONDS)


def main(arguments: list[str]) -> None:
    match arguments:
        case ["secrets"]:
            make_secrets(SECRETS)
        case ["provision"]:
            bring_up_to_date(SECRETS)
        case ["token", agency, *role]:
            print(token(SECRETS, agency, *role))
        case _:
            sys.exit(__doc__)


if __name__ == "__main__":
    try:
        with explained():
            main(sys.argv[1:])
    except Trouble as trouble:
        sys.exit(f"{trouble.en}\n{trouble.th}")
