"""The launcher killed in every way: nothing is left running, and the next start finds its way.

The home's path has a space, a percent sign and Thai letters, and stands for every path that people use.
"""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import psutil
import pytest

from deploy.local import home, strays, supervisor
from deploy.local.home import Home

ROOT = Path(__file__).parents[2]
START_SECONDS, STOP_SECONDS, GONE_SECONDS = 150, 20, 30
"""Generous: the machine may be busy."""


class Launcher:
    """`python -m deploy.local up`, as the bootstrap starts it."""

    def __init__(self, where: Home) -> None:
        self.home, self.log = where, where.root.with_suffix(".out")
        with self.log.open("w") as out:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "deploy.local", "up"], cwd=ROOT, env=environment(where), stdout=out, stderr=out
            )

    @property
    def said(self) -> str:
        return self.log.read_text()

    def ready(self) -> "Launcher":
        until = time.monotonic() + START_SECONDS
        while "Ready" not in self.said:
            assert self.process.poll() is None, self.said
            assert time.monotonic() < until, self.said
            time.sleep(0.1)
        return self

    def end(self, how: signal.Signals) -> int:
        self.process.send_signal(how)
        return self.process.wait(STOP_SECONDS)


def environment(where: Home) -> dict[str, str]:
    return {**os.environ, "SIAO_HOME": str(where.root), "PYTHONPATH": str(ROOT)}


def command(where: Home, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "deploy.local", *arguments],
        env=environment(where),
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


def nothing_left(where: Home) -> bool:
    return not strays.find(where)


def gone_soon(where: Home) -> bool:
    """Whether nothing is left after a while."""
    until = time.monotonic() + GONE_SECONDS
    while not nothing_left(where):
        if time.monotonic() > until:
            return False
        time.sleep(0.2)
    return True


def supervisor_of(where: Home) -> psutil.Process:
    return next(stray.process for stray in strays.find(where) if not stray.program)


def new_home(folder: Path) -> Home:
    """With the jars that this checkout has already."""
    where, jars = Home(folder), home.here().root / "kafka" / "jars"
    (where.root / "kafka").mkdir(parents=True)
    if jars.is_dir():
        (where.root / "kafka" / "jars").symlink_to(jars)
    return where


@pytest.fixture(scope="module")
def where(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Home]:
    made = new_home(tmp_path_factory.mktemp("launcher") / "คู่ เสี่ยว 100%")
    yield made
    command(made, "down")


def test_killed_again_and_again_during_the_first_start(where: Home):
    for seconds in (0.6, 1.5, 2.5, 4, 7):
        launcher = Launcher(where)
        time.sleep(seconds)
        for stray in strays.find(where):
            stray.process.kill()
        launcher.end(signal.SIGKILL)
    Launcher(where).ready().end(signal.SIGTERM)
    assert nothing_left(where)


def test_a_running_stack(where: Home, tmp_path: Path):
    launcher = Launcher(where).ready()
    assert command(where, "status").returncode == 0

    again = command(where, "up")
    assert again.returncode == 1
    assert "already runs" in again.stderr
    assert "Traceback" not in again.stderr

    relay = supervisor.states(where)["registry-relay"]["pid"]
    os.kill(relay, signal.SIGKILL)
    until = time.monotonic() + START_SECONDS
    while supervisor.states(where)["registry-relay"]["pid"] in {0, relay} and time.monotonic() < until:
        time.sleep(0.1)
    assert supervisor.states(where)["registry-relay"]["pid"] not in {0, relay}

    beside = new_home(tmp_path / "beside")
    second = Launcher(beside).ready()
    ours, theirs = home.read_json(where.ports), home.read_json(beside.ports)
    assert not set(ours.values()) & set(theirs.values())
    for ports in (ours, theirs):
        assert httpx.get(f"http://127.0.0.1:{ports['gateway']}/livez").text == "ok"

    second.end(signal.SIGKILL)
    assert gone_soon(beside)
    assert launcher.end(signal.SIGINT) == 0
    assert nothing_left(where)
    assert command(where, "status").returncode == 1


def test_without_its_supervisor_the_launcher_stops_everything(where: Home):
    launcher = Launcher(where).ready()
    supervisor_of(where).kill()
    assert launcher.process.wait(STOP_SECONDS + GONE_SECONDS) == 1
    assert nothing_left(where)
    assert "The supervisor was killed" in launcher.said


def test_what_both_left_behind_is_swept(where: Home):
    launcher = Launcher(where).ready()
    parent = supervisor_of(where)
    launcher.process.send_signal(signal.SIGSTOP)  # so that it cannot clean up
    parent.kill()
    launcher.end(signal.SIGKILL)
    left = {stray.program for stray in strays.find(where)}
    assert {"postgres", "kafka", "gateway"} <= left
    assert "Stopped" in command(where, "down").stdout
    assert nothing_left(where)
    assert "Nothing runs" in command(where, "down").stdout
