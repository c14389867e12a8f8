"""One Apache Kafka node (KRaft, SASL/SCRAM, ACLs) in a folder: settings, first format, command line, readiness."""

import asyncio
import base64
import json
import os
import re
import shutil
import subprocess
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from string import Template

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

from shared.runtime.embedded import SetupError
from shared.runtime.embedded.java import Java

TEMPLATE = Path(__file__).parents[3] / "deploy" / "kafka" / "server.properties"
LOGGING = TEMPLATE.with_name("log4j2.properties")
ADMIN, CONTROLLER = "admin", "ctl"  # the super users named in server.properties
HEAP = "256m"
UTF8 = ["env", "LC_ALL=C.UTF-8"]  # or Java cannot open a file whose name has a letter beyond ASCII
UNSAFE_WARNS = 24  # from this Java on, Kafka's use of sun.misc.Unsafe prints a warning that this flag silences


@dataclass(frozen=True)
class Broker:
    """A Kafka node: its folder, its two ports on 127.0.0.1, its Java and class path, and the passwords of its users.

    `passwords` maps user to password ([A-Za-z0-9_-]+) and must have `admin` (SCRAM) and `ctl` (the controller's own
    login); every other user becomes a SCRAM user when the folder is formatted.
    """

    folder: Path
    port: int
    controller_port: int
    java: Java
    class_path: str
    passwords: Mapping[str, str]

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    @property
    def properties(self) -> Path:
        return self.folder / "server.properties"

    @property
    def data(self) -> Path:
        return self.folder / "data"

    @property
    def scratch(self) -> Path:
        """Where Java unpacks its native libraries; emptied at each start, as kill -9 leaves them behind."""
        return self.folder / "scratch"


def prepare(broker: Broker) -> None:
    """Writes server.properties for these ports and formats the data folder if it is new. Safe to repeat.

    Formatting happens in a folder of another name, renamed when complete: a half-formatted one never counts.
    Raises SetupError with Kafka's own words when it cannot format.
    """
    broker.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    broker.folder.chmod(0o700)  # the jars may have come first
    shutil.rmtree(broker.scratch, ignore_errors=True)
    broker.scratch.mkdir()
    _write_private(broker.properties, _properties(broker, broker.data))
    if broker.data.exists():
        return
    fresh = broker.folder / "data.new"
    shutil.rmtree(fresh, ignore_errors=True)
    settings, arguments = broker.folder / "format.properties", broker.folder / "format.arguments"
    try:
        _write_private(settings, _properties(broker, fresh))
        _write_private(arguments, "\n".join(_format_arguments(broker, settings)))
        _run_format(broker, arguments)
    finally:
        settings.unlink(missing_ok=True)
        arguments.unlink(missing_ok=True)
    fresh.rename(broker.data)


def command(broker: Broker) -> list[str]:
    """The command line that runs the node in the foreground.

    It ends on SIGTERM, within a second, with exit code 143. Out of memory it ends by itself, to be started again.
    """
    flags = [f"-Xmx{HEAP}", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-XX:MaxDirectMemorySize=64m"]
    flags += ["-XX:+ExitOnOutOfMemoryError", "-XX:-UsePerfData", f"-XX:ErrorFile={broker.folder}/java-error.log"]
    flags += [f"-Djava.io.tmpdir={broker.scratch}"]
    if broker.java.major >= UNSAFE_WARNS:
        flags.append("--sun-misc-unsafe-memory-access=allow")
    logging = f"-Dlog4j2.configurationFile={LOGGING.as_uri()}"
    return [
        *UTF8,
        str(broker.java.path),
        *flags,
        logging,
        "-cp",
        broker.class_path,
        "kafka.Kafka",
        str(broker.properties),
    ]


def client_options(address: str, user: str, password: str) -> dict[str, str]:
    """What any aiokafka client needs to log in."""
    return {
        "bootstrap_servers": address,
        "security_protocol": "SASL_PLAINTEXT",
        "sasl_mechanism": "SCRAM-SHA-512",
        "sasl_plain_username": user,
        "sasl_plain_password": password,
    }


async def ready(address: str, password: str, within: float = 5) -> bool:
    """Whether the node lets `admin` in and lists itself as a broker that serves, within so many seconds."""
    try:
        _, writer = await asyncio.open_connection(*address.rsplit(":", 1))
        writer.close()
    except OSError:
        return False  # before aiokafka would log an error for each attempt
    client = AIOKafkaAdminClient(**client_options(address, ADMIN, password), request_timeout_ms=int(within * 1000))
    try:
        async with asyncio.timeout(within):
            await client.start()
            return bool((await client.describe_cluster())["brokers"])
    except (KafkaError, TimeoutError):
        return False
    finally:
        await client.close()


def _properties(broker: Broker, data: Path) -> str:
    for user, password in broker.passwords.items():
        if not re.fullmatch(r"[A-Za-z0-9_-]+", user + password):
            raise ValueError(f"the name or password of Kafka user {user!r} has a character that needs quoting")
    return Template(TEMPLATE.read_text(encoding="utf-8")).substitute(
        port=broker.port,
        controller_port=broker.controller_port,
        data=json.dumps(str(data))[1:-1],  # Java reads Latin-1 with the escapes that JSON has too
        admin_password=broker.passwords[ADMIN],
        ctl_password=broker.passwords[CONTROLLER],
    )


def _format_arguments(broker: Broker, settings: Path) -> list[str]:
    cluster = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
    users = [(user, word) for user, word in broker.passwords.items() if user != CONTROLLER]
    scram = [item for user, word in users for item in ("--add-scram", f"SCRAM-SHA-512=[name={user},password={word}]")]
    return ["format", f"--cluster-id={cluster}", "-c", str(settings), *scram]  # "=": an id may begin with a hyphen


def _run_format(broker: Broker, arguments: Path) -> None:
    """Runs Kafka's StorageTool with its arguments in a file, where no list of processes shows the passwords.

    What it prints on success is thrown away, because the salted passwords are in it.
    """
    java = [str(broker.java.path), "-Xmx128m", "-XX:TieredStopAtLevel=1", "-cp", broker.class_path]
    tool = [*java, "kafka.tools.StorageTool", f"@{arguments}"]
    done = subprocess.run([*UTF8, *tool], capture_output=True, text=True, check=False)  # noqa: S603
    if done.returncode:
        why = (done.stderr or done.stdout).strip()[-400:]
        raise SetupError(f"Kafka could not format {broker.data}: {why}", f"Kafka เตรียม {broker.data} ไม่สำเร็จ: {why}")


def _write_private(path: Path, text: str) -> None:
    """Replaces a file that only its owner may read."""
    fresh = path.with_name(path.name + ".new")
    fresh.unlink(missing_ok=True)
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        file.write(text)
    fresh.replace(path)
