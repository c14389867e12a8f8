"""The checkout's own launcher in a new home, whose environment is the one that these tests run in."""

import importlib.util
import os
import shutil
import subprocess
import sys
from importlib.machinery import SourceFileLoader
from pathlib import Path
from types import ModuleType
from typing import NamedTuple

import pytest

from deploy.local import home

ROOT = Path(__file__).parents[2]
SECONDS = 300


class Demonstrated(NamedTuple):
    home: Path
    code: int
    said: str


def launcher(where: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The launcher as a module, to write its note with."""
    monkeypatch.setenv("SIAO_HOME", str(where))
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    loader = SourceFileLoader("siao_of_the_checkout", str(ROOT / "siao"))
    spec = importlib.util.spec_from_loader(loader.name, loader)
    assert spec is not None
    module = importlib.util.module_from_spec(spec)
    loader.exec_module(module)
    return module


def lend_environment(where: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A finished environment without an installation: folders of its own, what is in them from this interpreter."""
    environment = where / "env"
    environment.mkdir(mode=0o700)  # as the launcher makes it; root's PostgreSQL user gets in all the same
    for name in ("bin", "lib"):
        (environment / name).symlink_to(Path(sys.prefix, name))
    shutil.copy(Path(sys.prefix, "pyvenv.cfg"), environment)
    module = launcher(where, monkeypatch)
    module.note({"run": module.digest("run")})


def lend_jars(where: Path) -> None:
    if (jars := home.here().root / "kafka" / "jars").is_dir():
        (where / "kafka").mkdir()
        (where / "kafka" / "jars").symlink_to(jars)


def siao(where: Path, *arguments: str) -> tuple[int, str]:
    """Exit code and words of the launcher, on the Python that these tests run on."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        [ROOT / "siao", *arguments],
        env={**os.environ, "SIAO_HOME": str(where), "PATH": path},
        cwd=where,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        timeout=SECONDS,
    )
    return done.returncode, done.stdout
