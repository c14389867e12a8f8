"""The launcher makes, keeps and mends an environment: with pip for real, from one small package of the test's own."""

import hashlib
import json
import os
import signal
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import pytest

LAUNCHER = Path(__file__).parents[2] / "siao"
APPLICATION = """
import json, os, sys
import siao_probe
names = ("SIAO_HOME", "PYTHONPATH")
told = {name: os.environ[name] for name in names}
print(json.dumps({"arguments": sys.argv[1:], "probe": siao_probe.VERSION, **told}))
"""


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
        (self.decoy / "deploy" / "local" / "__main__.py").write_text("raise SystemExit('of the current folder')")
        self.version = "0"
        self.pin()

    def pin(self) -> None:
        """Pins a newer version."""
        self.version = version = str(int(self.version) + 1)
        wheel = self._wheel(version)
        digest = hashlib.sha256(wheel.read_bytes()).hexdigest()
        (self.root / "requirements" / "run.txt").write_text(f"siao-probe=={version} \\\n    --hash=sha256:{digest}\n")

    def _wheel(self, version: str) -> Path:
        path, info = self.wheels / f"siao_probe-{version}-py3-none-any.whl", f"siao_probe-{version}.dist-info"
        with zipfile.ZipFile(path, "w") as wheel:
            wheel.writestr("siao_probe.py", f"VERSION = '{version}'")
            wheel.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: siao-probe\nVersion: {version}\n")
            wheel.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
            wheel.writestr(f"{info}/RECORD", f"siao_probe.py,,\n{info}/METADATA,,\n{info}/WHEEL,,\n{info}/RECORD,,\n")
        return path

    def start(self, *arguments: str, launcher: Path | None = None, **changed: str) -> "subprocess.Popen[str]":
        environment = {"PATH": os.environ["PATH"], "HOME": str(self.root.parent), "SIAO_HOME": str(self.home)}
        offline = {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(self.wheels)}
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


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Checkout:
    """One for all, because an environment takes seconds to make; each test leaves it whole or with other pins."""
    return Checkout(tmp_path_factory.mktemp("launcher"))


def test_without_network(checkout: Checkout) -> None:
    nobody = {"PIP_NO_INDEX": "", "PIP_FIND_LINKS": "", "PIP_RETRIES": "1", "PIP_PROXY": "http://127.0.0.1:9"}
    code, _, err = checkout.run("status", launcher=None, **nobody)
    assert code == 1
    assert err.count("\n") == 2
    assert "check the network" in err


def test_kill_9_in_the_middle(checkout: Checkout) -> None:
    with checkout.start("status") as process:
        while not (checkout.home / "env" / "pyvenv.cfg").exists():
            time.sleep(0.05)
        process.send_signal(signal.SIGKILL)
    assert checkout.answer("status")["probe"] == checkout.version


def test_hands_over_and_installs_nothing_twice(checkout: Checkout) -> None:
    first = checkout.answer("agency", "add", "กองทุน", PYTHONPATH="/elsewhere")
    assert first["arguments"] == ["agency", "add", "กองทุน"]
    assert first["SIAO_HOME"] == str(checkout.home)
    assert first["PYTHONPATH"] == str(checkout.root)
    assert checkout.home.stat().st_mode & 0o077 == 0
    made = (checkout.home / "env" / "siao.json").stat().st_mtime_ns
    link = checkout.root.parent / "link"
    link.symlink_to(checkout.root / "siao")
    assert checkout.answer("status", launcher=link)["arguments"] == ["status"]
    assert (checkout.home / "env" / "siao.json").stat().st_mtime_ns == made


def test_a_half_made_environment_is_made_anew(checkout: Checkout) -> None:
    checkout.answer("status")
    (checkout.home / "env" / "siao.json").unlink()
    next((checkout.home / "env").rglob("siao_probe.py")).unlink()
    assert checkout.answer("status")["probe"] == checkout.version


def test_other_pins_are_installed_once_by_two_at_once(checkout: Checkout) -> None:
    checkout.pin()
    with checkout.start("one") as one, checkout.start("two") as two:
        told = [process.communicate(timeout=120)[0] for process in (one, two)]
    assert "".join(told).count("installed in") == 1
    assert sum("waiting for another installation" in text for text in told) == 1
    assert all(json.loads(text.splitlines()[-1])["probe"] == checkout.version for text in told)


def test_a_moved_home_gets_another_environment(checkout: Checkout) -> None:
    checkout.answer("status")
    checkout.home = checkout.home.rename(checkout.home.with_name("moved"))
    assert checkout.answer("status")["SIAO_HOME"] == str(checkout.home)
    assert str(checkout.home) in (checkout.home / "env" / "bin" / "pip").read_text()


def test_another_file_than_pinned_is_refused(checkout: Checkout) -> None:
    pins = checkout.root / "requirements" / "run.txt"
    pins.write_text(pins.read_text().split("sha256:")[0] + "sha256:" + "0" * 64 + "\n")
    code, _, err = checkout.run("status")
    assert code == 1
    assert "not the one Siao was tested with" in err
    assert "Traceback" not in err
    checkout.pin()
