"""The folder of a stack: private, held by one start at a time, never half written."""

import os
import stat
from pathlib import Path

import pytest

from deploy.local import home
from deploy.local.home import Home
from deploy.local.trouble import Trouble


@pytest.fixture
def where(tmp_path: Path) -> Home:
    made = Home(tmp_path / "home")
    home.make(made)
    return made


def test_what_tells_of_people_is_the_owners_alone(where: Home):
    home.write_json(where.stack, {"clock": "real"})
    for folder in (where.root, where.secrets, where.logs, where.run, where.agencies):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert stat.S_IMODE(where.stack.stat().st_mode) == 0o600


def test_a_folder_that_stood_open_is_closed(where: Home):
    where.secrets.chmod(0o755)
    home.make(where)
    assert stat.S_IMODE(where.secrets.stat().st_mode) == 0o700


def test_one_start_at_a_time(where: Home):
    with home.alone(where), pytest.raises(Trouble, match="already runs"), home.alone(where):
        pass
    with home.alone(where):
        pass


def test_a_write_that_was_interrupted_leaves_the_old_file(where: Home, monkeypatch: pytest.MonkeyPatch):
    path = where.root / "file"
    home.write_private(path, "old")

    def killed(_: int) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "fsync", killed)
    with pytest.raises(KeyboardInterrupt):
        home.write_private(path, "new")
    assert path.read_text() == "old"


@pytest.mark.parametrize("name", ['with"quote', "semi;colon", "ha#sh", "co:lon", "com,ma", "new\nline"])
def test_a_path_that_settings_cannot_quote_is_refused(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("SIAO_HOME", str(tmp_path / name))
    with pytest.raises(Trouble, match="SIAO_HOME"):
        home.here()


def test_paths_in_thai_with_spaces_and_percents_are_fine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("SIAO_HOME", str(tmp_path / "คู่ เสี่ยว 100%"))
    assert home.here().root == tmp_path / "คู่ เสี่ยว 100%"


def test_the_first_start_decides_the_clock(where: Home):
    assert home.claim(where, clock="simulated", made_by="demo") == "simulated"
    assert home.claim(where, clock="real", made_by="up") == "simulated"
    assert home.read_json(where.stack)["made_by"] == "demo"


def test_a_demonstration_does_not_join_real_events(where: Home):
    home.claim(where, clock="real", made_by="up")
    with pytest.raises(Trouble, match="a folder of its own"):
        home.claim(where, clock="simulated", made_by="demo")


def test_each_home_has_a_marker_of_its_own_from_its_first_start(where: Home, tmp_path: Path):
    other = Home(tmp_path / "other")
    home.make(other)
    assert home.marker(where) == ""
    words = []
    for held in (where, other, where):
        with home.alone(held):
            words.append(home.marker(held))
    assert words[0] == words[2] != words[1]
