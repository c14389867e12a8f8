"""Names and paths are printed as they are, also where they look like a style of rich."""

import io
from pathlib import Path

import pytest

from deploy.local import cli, home
from deploy.local.home import Home
from deploy.local.lines import literal
from deploy.local.stack import MENDED, NOT_MENDED, Stack

NAME = "[/x] :warning:"


@pytest.fixture
def where(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    """A home whose path looks like the end of a style."""
    made = Home(tmp_path / "[" / "x]")
    monkeypatch.setenv("SIAO_HOME", str(made.root))
    return made


def said(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    monkeypatch.setattr("sys.argv", ["siao", *arguments])
    with pytest.raises(SystemExit):
        cli.main()
    told = capsys.readouterr()
    return told.out + told.err


@pytest.mark.parametrize("command", [["down"], ["status"], ["logs"], ["rebuild"], ["agency", "add", "red-cross"]])
def test_a_homes_path(
    command: list[str], where: Home, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    told = said(monkeypatch, capsys, *command)
    assert f"{where.root}" in told
    assert "[/x]" in told


@pytest.mark.parametrize(
    "command",
    [["logs", NAME], ["agency", "add", NAME], ["rebuild", "--as-known-at", NAME], ["demo", NAME], [NAME]],
)
def test_what_a_person_typed(
    command: list[str], where: Home, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    home.make(where)
    where.log("registry").touch()
    assert NAME in " ".join(said(monkeypatch, capsys, *command).split())


def test_what_died_is_named_and_what_was_gone(where: Home, monkeypatch: pytest.MonkeyPatch):
    """One look sees a process, the next another one in its place; then the supervisor is gone."""

    class Supervisor:
        looks = iter([None, None, 1])
        pids = iter([1, 2])
        process = property(lambda self: self)

        def poll(self) -> int | None:
            return next(self.looks)

        def states(self) -> dict[str, dict[str, int]]:
            return {NAME: {"pid": next(self.pids)}}

    class Mender:
        looks = iter([("Trouble: [/] no right", False), ("", True)])

        async def look(self) -> bool:
            self.failure, mended = next(self.looks)
            return mended

        async def close(self) -> None: ...

    monkeypatch.setattr("deploy.local.stack.LOOK_SECONDS", 0)
    console = literal(width=200)
    console.file = io.StringIO()
    with pytest.raises(Exception, match="supervisor was killed"):
        Stack(where, "real", {}, Supervisor(), Mender()).watch(console)  # type: ignore[arg-type]
    died = f"{NAME} died and was started again (process 2). · {NAME} หยุดทำงานและเริ่มใหม่แล้ว\n"
    assert console.file.getvalue() == f"{NOT_MENDED} Trouble: [/] no right\n{died}{MENDED}\n"
