"""The launcher makes, keeps and mends an environment: with pip for real, from one small package of the test's own."""

import contextlib
import hashlib
import json
import os
import signal
import subprocess
import sys
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.local import home
from deploy.local.home import Home

LAUNCHER = Path(__file__).parents[2] / "siao"
APPLICATION = """
import json, os, sys
import siao_probe
names = ("SIAO_HOME", "PYTHONPATH")
told = {name: os.environ[name] for name in names}
print(json.dumps({"arguments": sys.argv[1:], "probe": siao_probe.VERSION, **told}))
"""
JUDGE = "import sys; sys.exit(2 if '--onec' in sys.argv else 0)"


class Checkout:
    """A folder with the launcher, an application that says what it got, and pins of a package made here."""

    def __init__(self, root: Path) -> None:
        self.root, self.home, self.wheels, self.decoy = (
            root / name for name in ("checkout", "home", "wheels", "decoy")
        )
        for folder in (
            self.root / "deploy/local",
            self.root / "requirements",
            self.wheels,
            self.decoy / "deploy/local",
        ):
            folder.mkdir(parents=True)
        (self.root / "siao").write_bytes(LAUNCHER.read_bytes())
        (self.root / "siao").chmod(0o755)
        (self.root / "deploy" / "local" / "__main__.py").write_text(APPLICATION)
        (self.root / "deploy" / "local" / "arguments.py").write_text(JUDGE)
        (self.decoy / "deploy" / "local" / "__main__.py").write_text("raise SystemExit('of the current folder')")
        self.version = "0"
        self.pin()

    def pin(self) -> None:
        """Pins a newer version."""
        self.version = str(int(self.version) + 1)
        self._pin("run", "siao_probe", self.version)
        self._pin("test", "siao_extra", "1")

    def _pin(self, group: str, package: str, version: str) -> None:
        digest = hashlib.sha256(self._wheel(package, version).read_bytes()).hexdigest()
        pins = self.root / "requirements" / f"{group}.txt"
        pins.write_text(f"{package}=={version} \\\n    --hash=sha256:{digest}\n")

    def _wheel(self, package: str, version: str) -> Path:
        path, info = self.wheels / f"{package}-{version}-py3-none-any.whl", f"{package}-{version}.dist-info"
        with zipfile.ZipFile(path, "w") as wheel:
            wheel.writestr(f"{package}.py", f"VERSION = '{version}'")
            wheel.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {package}\nVersion: {version}\n")
            wheel.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
            wheel.writestr(f"{info}/RECORD", f"{package}.py,,\n{info}/METADATA,,\n{info}/WHEEL,,\n{info}/RECORD,,\n")
        return path

    def start(self, *arguments: str, launcher: Path | None = None, **changed: str) -> "subprocess.Popen[str]":
        environment = {"PATH": os.environ["PATH"], "HOME": str(self.root.parent), "SIAO_HOME": str(self.home)}
        offline = {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(self.wheels), "SIAO_KAFKA": "kafka:9092"}
        return subprocess.Popen(
            [sys.executable, launcher or self.root / "siao", *arguments],
            env={**environment, **offline, **changed},
            cwd=self.decoy,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, *arguments: str, launcher: Path | None = None, **changed: str) -> tuple[int, str, str]:
        with self.start(*arguments, launcher=launcher, **changed) as process:
            out, err = process.communicate(timeout=120)
        return process.returncode, out, err

    def answer(self, *arguments: str, launcher: Path | None = None, **changed: str) -> dict[str, object]:
        code, out, err = self.run(*arguments, launcher=launcher, **changed)
        assert code == 0, err
        return dict(json.loads(out.splitlines()[-1]))


@contextlib.contextmanager
def a_running_stack(checkout: Checkout) -> Iterator[None]:
    """What a launcher sees of it: the lock (deploy.local.home.alone)."""
    where = Home(checkout.home)
    home.make(where)
    with home.alone(where):
        yield


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Checkout:
    """One for all, because an environment takes seconds to make; each test leaves it whole or with other pins."""
    return Checkout(tmp_path_factory.mktemp("launcher"))


def test_without_network(checkout: Checkout) -> None:
    nobody = {"PIP_NO_INDEX": "", "PIP_FIND_LINKS": "", "PIP_RETRIES": "1", "PIP_PROXY": "http://127.0.0.1:9"}
    code, _, err = checkout.run("up", launcher=None, **nobody)
    assert code == 1
    assert err.count("\n") == 2
    assert "check the network" in err


def test_kill_9_in_the_middle(checkout: Checkout) -> None:
    with checkout.start("up") as process:
        while not (checkout.home / "env" / "pyvenv.cfg").exists():
            time.sleep(0.05)
        process.send_signal(signal.SIGKILL)
    assert checkout.answer("up")["probe"] == checkout.version


def test_hands_over_and_installs_nothing_twice(checkout: Checkout) -> None:
    first = checkout.answer("agency", "add", "กองทุน", PYTHONPATH="/elsewhere")
    assert first["arguments"] == ["agency", "add", "กองทุน"]
    assert first["SIAO_HOME"] == str(checkout.home)
    assert first["PYTHONPATH"] == str(checkout.root)
    assert checkout.home.stat().st_mode & 0o077 == 0
    made = (checkout.home / "env" / "siao.json").stat().st_mtime_ns
    link = checkout.root.parent / "link"
    link.symlink_to(checkout.root / "siao")
    assert checkout.answer("up", launcher=link)["arguments"] == ["up"]
    assert (checkout.home / "env" / "siao.json").stat().st_mtime_ns == made


def test_a_half_made_environment_is_made_anew(checkout: Checkout) -> None:
    checkout.answer("up")
    (checkout.home / "env" / "siao.json").unlink()
    next((checkout.home / "env").rglob("siao_probe.py")).unlink()
    assert checkout.answer("up")["probe"] == checkout.version


def test_a_group_that_cannot_be_had_spoils_nothing(checkout: Checkout) -> None:
    checkout.answer("up")
    made = (checkout.home / "env" / "siao.json").read_bytes()
    extra = checkout.wheels / "siao_extra-1-py3-none-any.whl"
    aside = extra.rename(extra.with_suffix(".aside"))
    assert checkout.run("test")[0] == 1
    assert (checkout.home / "env" / "siao.json").read_bytes() == made
    assert "installed in" not in checkout.run("up")[1]
    aside.rename(extra)
    code, told, _ = checkout.run("test")
    assert code == 0
    assert "(test) installed in" in told
    assert "(run) installed in" not in told


def test_wrong_arguments_install_no_further_group(checkout: Checkout) -> None:
    checkout.answer("up")
    note = checkout.home / "env" / "siao.json"
    note.write_text(json.dumps({"run": json.loads(note.read_text())["run"]}))
    code, told, _ = checkout.run("test", "--onec")
    assert (code, told) == (2, "")
    assert "test" not in json.loads(note.read_text())


def test_help_is_the_same_word_with_an_environment(checkout: Checkout) -> None:
    checkout.answer("up")
    assert checkout.answer("help")["arguments"] == ["--help"]
    assert checkout.answer("help", "demo")["arguments"] == ["demo", "--help"]


def test_a_group_cut_short_is_gone_on_with(checkout: Checkout) -> None:
    """As kill -9 leaves it: metadata is there, which pip takes for the package, and the package is not."""
    checkout.answer("test")
    note = checkout.home / "env" / "siao.json"
    note.write_text(json.dumps({"run": json.loads(note.read_text())["run"]}))
    module = next((checkout.home / "env").rglob("siao_extra.py"))
    module.unlink()
    (module.parent / "siao_extra-1.dist-info" / "INSTALLER").unlink()
    assert "(run) installed in" not in checkout.run("test")[1]
    assert module.exists()


def test_under_a_running_stack_the_environment_stays(checkout: Checkout) -> None:
    old = checkout.answer("up")["probe"]
    checkout.pin()
    with a_running_stack(checkout):
        for command in ("status", "logs", "down", "agency"):
            assert checkout.answer(command)["probe"] == old
        for command in ("up", "test"):
            code, _, err = checkout.run(command)
            assert code == 1
            assert "A stack runs in" in err
            assert err.count("\n") == 2
        assert checkout.answer("status")["probe"] == old
    assert checkout.answer("up")["probe"] == checkout.version


def test_looking_installs_nothing_of_other_pins(checkout: Checkout) -> None:
    old = checkout.answer("up")["probe"]
    checkout.pin()
    nobody = {"PIP_FIND_LINKS": ""}
    assert checkout.answer("status", **nobody)["probe"] == old
    assert checkout.answer("--help", **nobody)["arguments"] == ["--help"]


def test_other_pins_are_installed_once_by_two_at_once(checkout: Checkout) -> None:
    checkout.pin()
    with checkout.start("up") as one, checkout.start("demo") as two:
        told = [process.communicate(timeout=120)[0] for process in (one, two)]
    assert "".join(told).count("installed in") == 1
    assert sum("waiting for another installation" in text for text in told) == 1
    assert all(json.loads(text.splitlines()[-1])["probe"] == checkout.version for text in told)


def test_a_moved_home_gets_another_environment(checkout: Checkout) -> None:
    checkout.answer("up")
    checkout.home = checkout.home.rename(checkout.home.with_name("moved"))
    assert checkout.answer("up")["SIAO_HOME"] == str(checkout.home)
    assert str(checkout.home) in (checkout.home / "env" / "bin" / "pip").read_text()


def test_another_file_than_pinned_is_refused(checkout: Checkout) -> None:
    pins = checkout.root / "requirements" / "run.txt"
    pins.write_text(pins.read_text().split("sha256:")[0] + "sha256:" + "0" * 64 + "\n")
    code, _, err = checkout.run("up")
    assert code == 1
    assert "not the one Siao was tested with" in err
    assert "Traceback" not in err
    checkout.pin()
