"""A stack's secrets: made once, for their owner's eyes, and no service holds what it does not need."""

import json
import stat
from pathlib import Path

import pytest

from deploy.local import credentials, home
from deploy.local.home import Home
from deploy.local.trouble import Trouble
from shared.runtime import auth


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    credentials.make(tmp_path / "secrets", holds_data=False)
    return tmp_path / "secrets"


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_only_the_owner_can_read_them(folder: Path):
    for path in (folder, *folder.rglob("*")):
        assert stat.S_IMODE(path.stat().st_mode) == (0o700 if path.is_dir() else 0o600)


def test_made_once(folder: Path):
    before = contents(folder)
    credentials.make(folder, holds_data=True)
    assert contents(folder) == before


def test_two_stacks_share_nothing(folder: Path, tmp_path: Path):
    credentials.make(tmp_path / "other", holds_data=False)
    ours, theirs = contents(folder), contents(tmp_path / "other")
    assert ours.keys() == theirs.keys()
    assert not set(ours.values()) & set(theirs.values())


def test_each_service_gets_what_it_needs_and_no_more(folder: Path):
    held = {path.name: sorted(file.name for file in path.iterdir()) for path in folder.iterdir() if path.is_dir()}
    assert held == {
        "registry": ["body.key", "gateway.pub.json", "kek"],
        "pairing": ["body.key", "gateway.pub.json", "kek"],
        "interventions": ["body.key", "gateway.pub.json"],
        "projections": [],
        "gateway": ["gateway.key.json", "issuer.pub.json"],
    }
    assert "d" not in json.loads((folder / "gateway" / "issuer.pub.json").read_text())


def test_what_a_service_no_longer_needs_is_taken_back(folder: Path):
    (folder / "projections" / "kek").write_bytes((folder / "kek").read_bytes())
    credentials.make(folder, holds_data=True)
    assert not (folder / "projections" / "kek").exists()


def test_a_start_that_broke_in_the_middle_is_completed(folder: Path):
    before = contents(folder)
    (folder / "gateway.key.json").unlink()
    (folder / "registry" / "kek").unlink()
    credentials.make(folder, holds_data=True)
    assert contents(folder).keys() == before.keys()
    assert (folder / "registry" / "kek").read_bytes() == before["kek"]


@pytest.mark.parametrize("name", credentials.IRREPLACEABLE)
def test_a_key_without_which_data_cannot_be_read_is_never_made_anew(folder: Path, name: str):
    (folder / name).unlink()
    with pytest.raises(Trouble, match="backup"):
        credentials.make(folder, holds_data=True)
    assert not (folder / name).exists()


def test_a_user_that_an_upgrade_brings_gets_a_password(folder: Path):
    words = credentials.passwords(folder)
    del words["kafka"]["projections"]
    home.write_json(folder / credentials.PASSWORDS, words)
    credentials.make(folder, holds_data=True)
    after = credentials.passwords(folder)
    assert after["kafka"].pop("projections")
    assert after == words


def test_an_agencys_token_is_taken_by_the_gateway(folder: Path):
    where = Home(folder.parent)
    home.make(where)
    path = credentials.token_file(where, "red-cross", auth.Role.AGENCY, days=1)
    key = auth.load_key((folder / "gateway" / "issuer.pub.json").read_text())
    caller = auth.Verifier(key, iss=auth.ISSUER, aud=auth.GATEWAY).caller(path.read_text().strip())
    assert (caller.agency, caller.role) == ("red-cross", auth.Role.AGENCY)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
