"""Tokens are shown to a person at a terminal only; whatever else reads our output is told where the file is."""

import contextlib
import io
import shlex
import stat
import subprocess
from pathlib import Path

import pytest
from rich.console import Console

from deploy.local import cli, credentials, demo, home
from deploy.local.home import Home
from deploy.local.stack import Stack


class Output(io.StringIO):
    """Standard output. rich may be forced to colour what goes to a file, which makes no terminal of it."""

    def __init__(self, terminal: bool) -> None:
        super().__init__()
        self.terminal = terminal

    def isatty(self) -> bool:
        return self.terminal


@pytest.fixture
def where(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    """A home with a space in its path, in which a stack was started once."""
    made = Home(tmp_path / "a home")
    home.make(made)
    home.claim(made, clock="real", made_by="up")
    home.write_json(made.ports, {"gateway": 8080})
    credentials.make(made.secrets, holds_data=False)
    monkeypatch.setenv("SIAO_HOME", str(made.root))
    return made


def add(name: str, monkeypatch: pytest.MonkeyPatch, *, terminal: bool) -> tuple[int, str]:
    said = Output(terminal)
    monkeypatch.setattr(cli, "console", Console(file=said, force_terminal=True, highlight=False, width=200))
    monkeypatch.setattr("sys.argv", ["siao", "agency", "add", name])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    return int(ended.value.code or 0), said.getvalue()


def links(where: Home, *, terminal: bool) -> str:
    said = Output(terminal)
    stack = Stack(where, "real", {"gateway": 8080}, None, None)  # type: ignore[arg-type]  # no process is asked
    demo.say_where(stack, Console(file=said, force_terminal=True, highlight=False, width=200))
    return said.getvalue()


@pytest.mark.parametrize(("code", "said"), [(0, "Ready"), (1, "Ready"), (2, "incomplete"), (-15, "incomplete")])
def test_data_that_are_not_all_there_are_not_called_ready(
    code: int, said: str, where: Home, monkeypatch: pytest.MonkeyPatch
):
    stack = Stack(where, "simulated", {"gateway": 8080}, None, None)  # type: ignore[arg-type]
    monkeypatch.setattr(demo, "running", lambda *_, **__: contextlib.nullcontext(stack))
    monkeypatch.setattr(demo, "publish", lambda _: code)
    monkeypatch.setattr(demo, "serve", lambda *_: None)
    output = Output(terminal=False)
    assert demo.run(where, Console(file=output, width=200), once=False) == code
    assert [word for word in ("Ready", "incomplete") if word in output.getvalue()] == [said]
    assert ("ข้อมูลไม่ครบ" in output.getvalue()) == (said == "incomplete")


def test_an_agencys_token_is_shown_on_a_terminal_only(where: Home, monkeypatch: pytest.MonkeyPatch):
    code, said = add("red-cross", monkeypatch, terminal=True)
    path = where.agencies / "red-cross.token"
    assert (code, stat.S_IMODE(path.stat().st_mode)) == (0, 0o600)
    assert path.read_text().strip() in said
    code, said = add("red-cross", monkeypatch, terminal=False)
    assert code == 0
    assert path.read_text().strip() not in said
    assert str(path) in said


def test_the_first_command_reads_the_token_where_it_is(where: Home, monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    add("red-cross", monkeypatch, terminal=False)
    token = where.agencies / "red-cross.token"
    printed = demo.first_command(where, token).replace("curl ", "printf '%s\\n' ", 1)
    told = subprocess.run(["bash", "-c", printed], capture_output=True, text=True, check=True, cwd=tmp_path)
    assert f"Authorization: Bearer {token.read_text().strip()}" in told.stdout
    assert told.stderr == ""
    assert shlex.quote(str(token)) in printed


def test_the_pages_link_is_shown_on_a_terminal_only(where: Home):
    link = where.run / "page-link"
    assert "#token=" not in links(where, terminal=False)
    assert str(link) in links(where, terminal=False)
    assert stat.S_IMODE(link.stat().st_mode) == 0o600
    assert links(where, terminal=True).count("#token=") == 1
    assert link.read_text().startswith("http://127.0.0.1:8080/#token=")


@pytest.mark.parametrize("name", ["governor", "operator"])
def test_names_that_siao_reads_with_are_taken(
    name: str, where: Home, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    code, _ = add(name, monkeypatch, terminal=False)
    assert code == 1
    assert f"{name} is a name that Siao itself reads with" in " ".join(capsys.readouterr().err.split())
    assert not list(where.agencies.iterdir())
