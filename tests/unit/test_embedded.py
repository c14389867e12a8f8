"""Command lines, settings and access control lists of the servers that Siao runs itself."""

import os
import socket
import tempfile
from pathlib import Path

import pytest

from shared.runtime.embedded import SetupError, acl, free_port, java, kafka
from shared.runtime.embedded.java import Java

STRANGER = 54321
WORDS = {"admin": "a-secret", "ctl": "another_1"}


def broker(folder: Path, major: int = 25, words: dict[str, str] = WORDS) -> kafka.Broker:
    return kafka.Broker(folder, 9092, 9093, Java(Path("/java"), major), "a.jar:b.jar", words)


def test_a_taken_port_is_left_alone() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert free_port(port) != port
    assert free_port(port) == port


def test_flags_suit_the_java(tmp_path: Path) -> None:
    silencer = "--sun-misc-unsafe-memory-access=allow"  # an older Java refuses to start with it
    assert silencer in kafka.command(broker(tmp_path, major=25))
    assert silencer not in kafka.command(broker(tmp_path, major=17))


def test_no_password_is_in_a_command_line(tmp_path: Path) -> None:
    assert not any(word in argument for argument in kafka.command(broker(tmp_path)) for word in WORDS.values())


def test_settings_are_private_and_survive_any_script(tmp_path: Path) -> None:
    folder = tmp_path / "จน é \\"
    (folder / "data").mkdir(parents=True)  # formatted already
    kafka.prepare(broker(folder))
    settings = folder / "server.properties"
    assert settings.stat().st_mode & 0o777 == 0o600
    assert r"/\u0e08\u0e19 \u00e9 \\/data" in settings.read_text()
    assert "allow.everyone.if.no.acl.found=false" in settings.read_text()


def test_a_password_that_needs_quoting_is_a_mistake_of_ours(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="quoting"):
        kafka.prepare(broker(tmp_path, words={"admin": 'x";', "ctl": "y"}))


def test_java_is_the_one_that_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake = tmp_path / "java"
    fake.write_text("#!/bin/sh\necho '    java.specification.version = 21' >&2\n")
    fake.chmod(0o755)
    monkeypatch.setenv("SIAO_JAVA", str(fake))
    assert java.find() == Java(fake, 21)
    fake.write_text("#!/bin/sh\necho '    java.specification.version = 1.8' >&2\n")
    with pytest.raises(SetupError, match="is not a Java 17"):
        java.find()
    monkeypatch.setenv("SIAO_JAVA", str(tmp_path / "none"))
    with pytest.raises(SetupError, match="is not a Java 17"):
        java.find()


@pytest.mark.parametrize("mode", [0o700, 0o750, 0o770])
def test_only_one_user_is_let_through(tmp_path: Path, mode: int) -> None:
    folder = tmp_path / "private"
    folder.mkdir()
    folder.chmod(mode)
    assert not acl.may_search(folder, STRANGER, STRANGER)
    try:
        acl.let_through(folder, STRANGER)
    except OSError as error:
        pytest.skip(f"no access control lists under {tempfile.gettempdir()}: {error.strerror}")
    assert acl.may_search(folder, STRANGER, STRANGER)
    assert not acl.may_search(folder, STRANGER + 1, STRANGER + 1)
    once = os.getxattr(folder, acl.ATTRIBUTE)
    acl.let_through(folder, STRANGER)
    assert os.getxattr(folder, acl.ATTRIBUTE) == once
    assert folder.stat().st_mode & 0o007 == 0


def test_an_open_folder_needs_no_list(tmp_path: Path) -> None:
    tmp_path.chmod(0o711)
    assert acl.may_search(tmp_path, STRANGER, STRANGER)
    tmp_path.chmod(0o710)
    assert acl.may_search(tmp_path, STRANGER, tmp_path.stat().st_gid)
    assert not acl.may_search(tmp_path, STRANGER, STRANGER)
