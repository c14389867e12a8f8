"""What the launcher says: status, logs, and trouble in two languages."""

import errno
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from deploy.local import cli, health, home, logs, status
from deploy.local.home import Home
from deploy.local.trouble import Trouble, explained
from shared.runtime.embedded import SetupError

METRICS = """# TYPE siao_relay_outbox_rows gauge
siao_relay_outbox_rows 12.0
# TYPE siao_projections_lag_records gauge
siao_projections_lag_records{partition="1"} 3.0
siao_projections_lag_records{partition="2"} 4.0
# TYPE siao_follower_quarantine_records gauge
siao_follower_quarantine_records 2.0
# TYPE siao_relay_published_total counter
siao_relay_published_total 5.0
# TYPE siao_relay_published_created gauge
siao_relay_published_created 1.79e+09
# TYPE process_open_fds gauge
process_open_fds 20.0
"""


@pytest.fixture
def where(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    made = Home(tmp_path)
    home.make(made)
    monkeypatch.setenv("SIAO_HOME", str(tmp_path))
    return made


def test_status_shows_what_tells_of_being_behind():
    assert status.gauges(METRICS) == {"outbox_rows": "12", "lag_records": "7", "quarantine_records": "2"}


def test_what_followers_set_aside_is_counted_like_the_rest():
    parts = [status.Part(name, "running", 1, timedelta(0)) for name in ("pairing-follower", "registry")]
    parts[0].says = {status.QUARANTINE: "2"}
    assert status._followers(parts) == 2
    none = {"quarantined": 0, "parked": 0, "incomplete_households": 0}
    said = status._summary({"trouble": none, "newest_fact": None, "awaits_rebuild": True}, 2, simulated=False)
    assert "by followers: 2" in said.plain
    assert "./siao rebuild" in said.plain


def test_an_age_makes_no_sense_on_a_simulated_clock():
    before = (datetime.now(UTC) - timedelta(seconds=90)).isoformat()
    assert status._when(before, simulated=False).startswith("90.")
    assert "simulated" in status._when(before, simulated=True)
    assert status._when(None, simulated=False) == "–"


def run(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    monkeypatch.setattr("sys.argv", ["siao", *arguments])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    return int(ended.value.code or 0)


def test_nothing_runs_is_said(where: Home, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    assert run(monkeypatch, "status") == 1
    assert "Nothing runs in" in capsys.readouterr().out


@pytest.mark.parametrize("name", ["Red Cross", "-red", "red_cross", "", "กาชาด", "a" * 64, "../secrets"])
def test_a_name_that_is_none(where: Home, name: str, monkeypatch: pytest.MonkeyPatch):
    home.claim(where, clock="real", made_by="up")
    assert run(monkeypatch, "agency", "add", "--", name) == 1
    assert not list(where.agencies.iterdir())


def test_an_agency_before_the_first_start(
    where: Home, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    assert run(monkeypatch, "agency", "add", "red-cross") == 1
    said = capsys.readouterr().err
    assert "no stack" in said
    assert "ยังไม่มีระบบ" in said


def test_help_shows_examples(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    assert run(monkeypatch, "--help") == 0
    assert "./siao agency add red-cross" in capsys.readouterr().out


def test_the_end_of_a_log(where: Home):
    where.log("registry").write_text("".join(f"line {n}\n" for n in range(5000)))
    assert health.tail(where.log("registry"), 2) == "line 4998\nline 4999"
    assert health.tail(where.log("nothing")) == ""


def test_logs_that_are_not_there(where: Home):
    with pytest.raises(Trouble, match="Nothing was started"):
        logs.choose(where, "")
    where.log("registry").touch()
    with pytest.raises(Trouble, match="there is one of registry"):
        logs.choose(where, "regsitry")


@pytest.mark.parametrize(
    ("error", "en", "th"),
    [
        (OSError(errno.ENOSPC, "No space left on device"), "disk is full", "ดิสก์เต็ม"),
        (PermissionError(errno.EACCES, "Permission denied", "/a"), "/a may not be written", "ไม่มีสิทธิ์"),
        (SetupError("initdb: No space left on device", "..."), "disk is full", "ดิสก์เต็ม"),
        (SetupError("Kafka needs Java 17.", "ต้องมี Java 17"), "Kafka needs Java 17", "ต้องมี Java 17"),
    ],
)
def test_the_machines_failures_in_two_languages(error: Exception, en: str, th: str):
    with pytest.raises(Trouble) as trouble, explained():
        raise error
    assert en in trouble.value.en
    assert th in trouble.value.th


def test_what_fails_on_a_full_disk_is_the_disks_trouble(where: Home, monkeypatch: pytest.MonkeyPatch):
    assert "kafka dies" in health.unhealthy(where, "kafka", "dies", "หยุด").en
    monkeypatch.setattr("deploy.local.trouble.ROOM", 1 << 60)
    assert "disk is full" in health.unhealthy(where, "kafka", "dies", "หยุด").en


def test_a_mistake_of_ours_stays_what_it_is():
    with pytest.raises(ConnectionResetError), explained():
        raise ConnectionResetError
