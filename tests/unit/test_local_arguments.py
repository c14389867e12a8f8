"""Arguments are judged before anything is done, or installed, for a command."""

import pytest

from deploy.local import arguments, cli, demo


def judged(monkeypatch: pytest.MonkeyPatch, line: str) -> int:
    monkeypatch.setattr("sys.argv", ["siao", *line.split()])
    with pytest.raises(SystemExit) as ended:
        arguments.judge()
    return int(ended.value.code or 0)


@pytest.mark.parametrize("line", ["demo", "demo --once", "up", "test", "test faults --seeds 3", "rebuild --check"])
def test_what_a_command_takes_is_good_and_not_done(line: str, monkeypatch: pytest.MonkeyPatch):
    assert judged(monkeypatch, line) == 0


@pytest.mark.parametrize(
    "line", ["demo --onec", "demo foo", "up --once", "test faults --seeds 0", "test fautls", "foo"]
)
def test_what_it_does_not_take_is_told_in_both_languages(
    line: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    assert judged(monkeypatch, line) == 2
    said = capsys.readouterr().err
    assert "Error" in said
    assert "ตัวเลือกไม่ถูกต้อง" in said


def test_a_code_of_our_own_is_no_mistake_of_the_callers(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    """Publishing that stopped ends with the same number."""
    monkeypatch.setattr("sys.argv", ["siao", "demo", "--once"])
    monkeypatch.setattr(demo, "run", lambda *_, **__: 2)
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert ended.value.code == 2
    assert capsys.readouterr().err == ""
