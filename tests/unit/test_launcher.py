"""The launcher's sentences, before there is any environment."""

import ast
import importlib.util
import os
import re
import subprocess
import sys
from importlib.machinery import SourceFileLoader
from pathlib import Path
from types import ModuleType

import pytest
import typer

from deploy.local import cli, home

LAUNCHER = Path(__file__).parents[2] / "siao"


@pytest.fixture
def launcher(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The launcher as a module, with a new SIAO_HOME."""
    monkeypatch.setenv("SIAO_HOME", str(tmp_path / "home"))
    loader = SourceFileLoader("siao_launcher", str(LAUNCHER))
    spec = importlib.util.spec_from_loader("siao_launcher", loader)
    assert spec is not None
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    loader.exec_module(module)
    return module


def test_an_old_python_can_read_it() -> None:
    ast.parse(LAUNCHER.read_text(encoding="utf-8"), feature_version=(3, 6))


def test_an_old_python_is_told_so(launcher: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "version_info", (3, 9, 2, "final", 0))
    with pytest.raises(SystemExit) as end:
        launcher.explained(["demo"])
    english, thai = str(end.value).split("\n")
    assert "needs Python 3.11 or newer and this is 3.9" in english
    assert "Python 3.11" in thai


def bare(folder: Path, *arguments: str) -> tuple[int, str]:
    """Exit code and words of a launcher that has no environment, and made nothing."""
    environment = {"SIAO_HOME": str(folder / "home"), "PATH": os.environ["PATH"]}
    done = subprocess.run(
        [sys.executable, LAUNCHER, *arguments], env=environment, capture_output=True, text=True, check=False
    )
    assert not (folder / "home").exists()
    return done.returncode, done.stdout + done.stderr


@pytest.mark.parametrize("arguments", [["--help"], ["help"], [], ["demo", "--help"]])
def test_help_needs_no_environment(arguments: list[str], tmp_path: Path) -> None:
    code, told = bare(tmp_path, *arguments)
    assert code == 0
    assert all(word in told for word in ("demo --once", "up", "status", "logs", "agency add", "test", "down"))


@pytest.mark.parametrize(("command", "code"), [("down", 0), ("status", 1), ("logs", 1), ("agency", 1)])
def test_where_nothing_was_started_nothing_is_installed(command: str, code: int, tmp_path: Path) -> None:
    ended, told = bare(tmp_path, command)
    assert ended == code
    assert f"Nothing runs in {tmp_path / 'home'}" in told
    assert told.count("\n") == 2


@pytest.mark.parametrize("arguments", [["foo"], ["foo", "--help"], ["help", "foo"], ["--onec"], ["--onec", "demo"]])
def test_a_name_that_is_no_command_installs_nothing(arguments: list[str], tmp_path: Path) -> None:
    code, told = bare(tmp_path, *arguments)
    english, thai = told.splitlines()
    assert code == 2
    assert english.startswith("There is no command ")
    assert "rebuild" in english
    assert thai.startswith("ไม่มีคำสั่ง")


def test_the_launcher_knows_every_command_and_no_other(launcher: ModuleType) -> None:
    known = typer.main.get_command(cli.app)
    assert set(launcher.COMMANDS) == set(known.commands)
    assert {*launcher.STARTS_KAFKA, *launcher.LOOKS_ONLY} <= set(launcher.COMMANDS)


def test_every_problem_is_said_in_both_languages(launcher: ModuleType) -> None:
    for text in launcher.PROBLEMS.values():
        english, thai = text.split("\n")
        assert english.isascii()
        assert not thai.isascii()
        assert english.count("%") == thai.count("%")


def test_how_much_is_downloaded_is_said_once_and_the_same(launcher: ModuleType) -> None:
    readme = (LAUNCHER.parent / "README.md").read_text(encoding="utf-8")
    said = [re.findall(r"downloads about (\d+ MB)", " ".join(text.split())) for text in (launcher.USAGE, readme)]
    assert len(said[0]) == 1
    assert said[0] == said[1]


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ("ERROR: Could not install packages due to an OSError: [Errno 28] No space left on device", "disk"),
        ("ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE.", "hashes"),
        ("WARNING: Retrying (Retry(total=0)) after connection broken by 'NewConnectionError'", "network"),
        ("ERROR: Could not install packages due to an OSError: [Errno 13] Permission denied: '/x'", "unwritable"),
        ("error: subprocess-exited-with-error\nerror: command 'gcc' failed", "compiler"),
        ("something nobody thought of", "pip"),
    ],
)
def test_what_pip_says_becomes_a_sentence(launcher: ModuleType, said: str, code: str) -> None:
    Path(launcher.HOME).mkdir()
    Path(launcher.LOG).write_text(said)
    facts = _facts(launcher, code)
    assert str(launcher.diagnose("pip", launcher.LOG)) == launcher.PROBLEMS[code] % (facts * 2)


def _facts(launcher: ModuleType, code: str) -> tuple[str, ...]:
    return {"network": (), "disk": (launcher.HOME,), "unwritable": (launcher.HOME,)}.get(code, (launcher.LOG,))


def test_a_full_disk_is_seen_before_anything_is_downloaded(
    launcher: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(launcher, "ROOM", 1 << 60)
    with pytest.raises(SystemExit, match="too little room on the disk"):
        launcher.explained(["up"])


def test_a_folder_that_cannot_be_made(launcher: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setattr(launcher, "HOME", str(tmp_path / "file" / "home"))
    with pytest.raises(SystemExit, match="may not write"):
        launcher.explained(["up"])


def test_a_path_that_cannot_be_quoted(launcher: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(launcher, "HOME", "/a:b")
    with pytest.raises(SystemExit, match="cannot live in /a:b"):
        launcher.explained(["up"])


def test_both_have_the_same_rule_for_paths(launcher: ModuleType) -> None:
    refused = {chr(n) for n in range(0x3000) if home.UNUSABLE.search(chr(n))}
    assert set(launcher.UNUSABLE) == refused
