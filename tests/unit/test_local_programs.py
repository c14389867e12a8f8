"""What each process is started with: settings that exist, and no secret but its own."""

import shlex
from configparser import RawConfigParser
from pathlib import Path

import pytest
from supervisor.options import ServerOptions

from deploy.local import credentials, home, ports, programs, supervisor
from deploy.local.home import Home
from deploy.local.kafka import Login
from deploy.local.programs import Program
from shared.runtime.settings import Settings


@pytest.fixture
def where(tmp_path: Path) -> Home:
    made = Home(tmp_path / "คู่ เสี่ยว 100%")
    home.make(made)
    home.make_marker(made)
    credentials.make(made.secrets, holds_data=False)
    return made


@pytest.fixture
def words(where: Home) -> dict[str, dict[str, str]]:
    return credentials.passwords(where.secrets)


@pytest.fixture
def services(where: Home, words: dict[str, dict[str, str]]) -> list[Program]:
    login = Login("127.0.0.1:9092", "admin", words["kafka"]["admin"])
    dsn = f"postgresql://admin:{words['postgres']['admin']}@127.0.0.1:5432/postgres"
    return programs.services(programs.Places(ports.USUAL, dsn, login, where.secrets, "real"), words)


def test_every_name_is_a_setting(services: list[Program]):
    settings = {f"SIAO_{name.upper()}" for name in Settings.model_fields}
    assert all(program.environment.keys() <= settings for program in services)


def test_no_process_gets_anothers_password(services: list[Program], words: dict[str, dict[str, str]]):
    for program in services:
        own = program.environment["SIAO_SERVICE"]
        text = " ".join([*program.environment.values(), *program.command])
        for users in words.values():
            assert not [user for user, word in users.items() if user != own and word in text]


def test_every_process_listens_somewhere_else(services: list[Program]):
    assert len({program.port for program in services}) == len(services) == 10
    assert {program.environment["SIAO_HTTP_HOST"] for program in services} == {"127.0.0.1"}


def test_a_cluster_without_passwords_gets_none(where: Home, words: dict[str, dict[str, str]]):
    places = programs.Places(ports.USUAL, "postgresql://a:b@c:1/d", Login("kafka:9092"), where.secrets, "real")
    relay = next(program for program in programs.services(places, words) if program.name == "registry-relay")
    assert "SIAO_KAFKA_USER" not in relay.environment


def test_the_supervisor_reads_back_what_was_meant(where: Home, services: list[Program]):
    server = Program("postgres", ["/opt/100% real/postgres", "-D", "a b"], folder=where.run, stop_signal="INT")
    settings = where.run / "supervisord.conf"
    settings.write_text(supervisor.render(where, where.run / "s.sock", [server, *services]), encoding="utf-8")
    options = ServerOptions()
    options.realize(["-c", str(settings)])
    groups = {group.name: group.process_configs for group in options.process_group_configs}
    assert {process.name for process in groups["services"]} == {program.name for program in services}
    (read,) = groups["servers"]
    assert shlex.split(read.command) == server.command
    by_name = {process.name: process for process in groups["services"]}
    for program in services:
        assert by_name[program.name].environment == program.environment
        assert by_name[program.name].stdout_logfile == str(where.log(program.name))


def test_services_stop_before_servers(where: Home, services: list[Program]):
    parser = RawConfigParser()
    parser.read_string(supervisor.render(where, where.run / "s", [Program("kafka", ["java"]), *services]))
    assert int(parser["group:services"]["priority"]) > int(parser["group:servers"]["priority"])


def test_children_inherit_nothing_of_the_shell(where: Home, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("SIAO_POSTGRES", "postgresql://admin:secret@elsewhere/postgres")
    assert "secret" not in " ".join(supervisor.environment(where).values())


def test_a_long_path_gets_its_socket_in_a_short_private_folder(tmp_path: Path):
    where = Home(tmp_path / ("long" * 30))
    home.make(where)
    socket = supervisor.socket_path(where)
    assert len(str(socket)) <= supervisor.LONGEST_SOCKET
    assert socket.parent.stat().st_mode & 0o777 == 0o700
    assert supervisor.socket_path(where) == socket
    socket.parent.rmdir()
