"""`.ci/run` does not leave out the page's tests in silence."""

import shutil
import subprocess
from pathlib import Path

import pytest

RUN = Path(__file__).parents[2] / ".ci" / "run"


@pytest.mark.parametrize("tried", [True, False])
def test_without_a_browser_it_says_so_and_fails(tried: bool, tmp_path: Path):
    for name in ("bash", "dirname", "id"):
        (tmp_path / name).symlink_to(str(shutil.which(name)))
    if tried:  # an installation that fails
        (tmp_path / "apt-get").symlink_to(str(shutil.which("false")))
    environment = {"CI": "true", "PATH": str(tmp_path), "HOME": str(tmp_path)}
    ended = subprocess.run(["bash", RUN], env=environment, capture_output=True, text=True, check=False)
    assert ended.returncode == 1
    assert "no chromium" in ended.stderr
