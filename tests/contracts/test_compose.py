"""docker-compose.yml fits the Compose Specification, our settings, our processes, and what deploy/compose.py makes."""

import platform
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from deploy import compose
from deploy.local import credentials, programs
from shared.runtime.settings import Settings

ROOT = Path(__file__).parents[2]
FILE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))
SERVICES: dict[str, dict[str, Any]] = FILE["services"]
DOCKERFILE = (ROOT / "deploy" / "Dockerfile").read_text(encoding="utf-8")
SETTINGS = {f"SIAO_{name.upper()}" for name in Settings.model_fields}
OURS = {name for name, service in SERVICES.items() if service.get("command", [""])[0].startswith("services.")}


@pytest.fixture(scope="module")
def secrets(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("secrets")
    compose.make_secrets(folder)
    return folder


@pytest.mark.skipif(platform.machine() == "aarch64", reason="the validator has no build for this machine")
def test_it_is_a_compose_file():
    import compose_spec

    compose_spec.PyCompose.from_yaml(yaml.safe_dump(FILE)).validate()


def test_every_setting_exists():
    named = {name for service in SERVICES.values() for name in service.get("environment", {})}
    assert {name for name in named if name.startswith("SIAO_")} <= SETTINGS
    assert set(re.findall(r"\b(SIAO_[A-Z_]+)=", DOCKERFILE)) <= SETTINGS


def test_the_processes_are_those_of_the_launcher():
    commands = {name: SERVICES[name]["command"] for name in OURS}
    assert commands == {
        programs.name_of(service, part): [f"services.{service}", *filter(None, [part])]
        for service, parts in programs.PARTS.items()
        for part in parts
    }


def test_who_reaches_kafka_is_who_does_so_in_the_launcher():
    for name in OURS:
        environment, service = SERVICES[name].get("environment", {}), SERVICES[name]["command"][0].split(".")[1]
        uses_kafka = name.endswith(("-relay", "-follower")) or name == "projections"
        assert environment.get("SIAO_KAFKA_USER") == (service if uses_kafka else None)
        assert ("SIAO_KAFKA" in environment) == uses_kafka


def test_only_the_gateway_is_reached_from_outside_and_only_from_this_machine():
    published = {name: service["ports"] for name, service in SERVICES.items() if "ports" in service}
    assert published == {"gateway": ["127.0.0.1:8080:8000"]}


def test_no_secret_has_a_default():
    for service in SERVICES.values():
        for name, value in service.get("environment", {}).items():
            assert "PASSWORD" not in name or str(value).startswith("/secrets/")


def test_each_container_sees_its_own_secrets_only():
    for name, service in SERVICES.items():
        mounted = [volume for volume in service.get("volumes", []) if volume.startswith("secrets")]
        if name in OURS:
            assert mounted == [f"secrets-{service['command'][0].split('.')[1]}:/secrets:ro"]
        elif name in {"postgres", "kafka"}:
            assert mounted == [f"secrets-{name}:/secrets:ro"]


def test_every_volume_is_declared_and_used():
    used = {volume.split(":")[0] for service in SERVICES.values() for volume in service.get("volumes", [])}
    assert used == set(FILE["volumes"])


def test_the_servers_are_the_documented_versions():
    assert (SERVICES["kafka"]["image"], SERVICES["postgres"]["image"]) == ("apache/kafka:4.3.1", "postgres:18")
    pinned = (ROOT / "requirements" / "kafka-jars.txt").read_text()
    assert "org.apache.kafka:kafka_2.13:4.3.1" in pinned


def test_postgres_is_set_as_the_launchers_own():
    said = re.findall(r"^(\w+) = (?:'(.*?)'|(\S+))", (ROOT / "deploy/postgres/postgresql.conf").read_text(), re.M)
    own = {name: quoted or plain for name, quoted, plain in said}
    program, *options = SERVICES["postgres"]["command"]
    assert program == "postgres"
    where = {
        "listen_addresses",
        "unix_socket_directories",
    }  # the image listens to its network, and starts over a socket
    assert dict(option.removeprefix("--").split("=", 1) for option in options) == {
        n: own[n] for n in own.keys() - where
    }


def test_the_image_runs_as_the_user_that_gets_the_secrets():
    assert f"--uid {compose.SERVICE_USER} " in DOCKERFILE
    assert re.search(r"^USER siao$", DOCKERFILE, re.M)


@pytest.mark.parametrize("service", credentials.SERVICES)
def test_the_image_starts_a_process_with_its_passwords(service: str, secrets: Path):
    entry = re.search(r'"-ec", "(.+)", "siao"\]', DOCKERFILE)
    assert entry
    script = entry[1].replace('\\"', '"').replace("/secrets/", f"{secrets / service}/").replace("python -m", "echo")
    shown = script.replace("exec", 'echo "$SIAO_DATABASE" "${SIAO_KAFKA_PASSWORD-}"; exec')
    run = subprocess.run(["sh", "-ec", shown, "siao", "services.x", "api"], capture_output=True, text=True, check=True)
    words = credentials.passwords(secrets)
    dsn = f"postgresql://siao_{service}:{words['postgres'][service]}@postgres:5432/siao"
    assert run.stdout == f"{dsn} {words['kafka'].get(service, '')}\nservices.x api\n"


def test_every_container_finds_what_it_mounts(secrets: Path):
    volumes = {name.removeprefix("secrets-") for name in FILE["volumes"] if name.startswith("secrets-")}
    assert volumes == {path.name for path in secrets.iterdir() if path.is_dir()}
    assert (secrets / "postgres" / "password").read_text() == credentials.passwords(secrets)["postgres"]["admin"]
    assert sorted(path.name for path in (secrets / "kafka").iterdir()) == ["format.arguments", "server.properties"]


def test_a_second_start_changes_no_secret(secrets: Path):
    def contents() -> dict[Path, bytes]:
        return {path: path.read_bytes() for path in secrets.rglob("*") if path.is_file()}

    before = contents()
    compose.make_secrets(secrets)
    assert contents() == before
