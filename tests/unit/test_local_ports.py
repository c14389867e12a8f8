"""Ports: the usual ones, those of last time, and others where they are taken."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from deploy.local import home, ports
from deploy.local.home import Home
from deploy.local.trouble import Trouble

NAMES = ("gateway", "registry-poke")


@pytest.fixture
def where(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    """A home, on a machine where nobody uses these ports."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        base = free.getsockname()[1] % 10_000 + 20_000
    monkeypatch.setattr(ports, "USUAL", {"gateway": base, "registry-poke": base + 1})
    made = Home(tmp_path / "home")
    home.make(made)
    return made


@contextmanager
def taken(port: int, kind: socket.SocketKind = socket.SOCK_STREAM) -> Iterator[None]:
    with socket.socket(socket.AF_INET, kind) as other:
        other.bind(("127.0.0.1", port))
        if kind == socket.SOCK_STREAM:
            other.listen()
        yield


def chosen(where: Home) -> dict[str, int]:
    found = ports.choose(where, NAMES)
    found.release()
    return dict(found)


def test_the_usual_ports_first(where: Home):
    assert chosen(where) == ports.USUAL
    assert home.read_json(where.ports) == ports.USUAL


def test_the_next_step_where_one_is_taken(where: Home):
    usual = ports.USUAL["gateway"]
    with taken(usual), taken(ports.USUAL["registry-poke"], socket.SOCK_DGRAM):
        assert chosen(where) == {name: port + ports.STEP for name, port in ports.USUAL.items()}


def test_a_home_keeps_its_ports_when_the_usual_ones_are_free_again(where: Home):
    with taken(ports.USUAL["gateway"]):
        first = chosen(where)
    assert chosen(where) == first


def test_a_remembered_port_that_was_taken_is_chosen_anew(where: Home):
    with taken(ports.USUAL["gateway"]):
        first = chosen(where)
    with taken(first["gateway"]):
        assert chosen(where)["gateway"] == ports.USUAL["gateway"]


def test_two_starts_at_the_same_moment_find_different_ports(where: Home, tmp_path: Path):
    other = Home(tmp_path / "other")
    home.make(other)
    first, second = ports.choose(where, NAMES), ports.choose(other, NAMES)
    assert not set(first.values()) & set(second.values())
    first.release()
    second.release()


def test_no_port_left_is_said(where: Home, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(ports, "STEPS", 1)
    with taken(ports.USUAL["gateway"]), pytest.raises(Trouble, match="No free port for gateway"):
        ports.choose(where, NAMES)
