"""The compiled requirements are those of the .in files, hashed, and name no registry."""

import re
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[2] / "requirements"
GROUPS = ("run", "java", "test", "bench")


def pins(path: Path) -> dict[str, str]:
    """Distribution -> version."""
    return dict(re.findall(r"^([a-z0-9._-]+)==([^\s;\\]+)", path.read_text(), re.MULTILINE))


@pytest.mark.parametrize("group", GROUPS)
def test_what_is_asked_for_is_what_is_installed(group: str) -> None:
    asked, installed = pins(FOLDER / f"{group}.in"), pins(FOLDER / f"{group}.txt")
    assert asked
    assert asked.items() <= installed.items(), "run requirements/compile.sh"


@pytest.mark.parametrize("group", GROUPS)
def test_every_package_has_hashes_and_none_an_address(group: str) -> None:
    text = (FOLDER / f"{group}.txt").read_text()
    packages = re.split(r"\n(?=\S)", text.strip())
    assert all("--hash=sha256:" in package for package in packages)
    assert "://" not in text


def test_the_groups_agree() -> None:
    run, test = pins(FOLDER / "run.txt"), pins(FOLDER / "test.txt")
    assert {name: run[name] for name in run.keys() & test} == {name: test[name] for name in run.keys() & test}
