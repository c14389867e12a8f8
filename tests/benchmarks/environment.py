"""The peers' own Python environment, made from requirements/bench.txt: one of them needs older libraries than we do."""

import hashlib
import subprocess
import sys
import venv
from pathlib import Path

from deploy.local.home import here

ROOT = Path(__file__).parents[2]
PINS = ROOT / "requirements" / "bench.txt"


class Unavailable(Exception):
    """The peers could not be installed; its text says why."""


def python() -> Path:
    """The interpreter that has the peers; installs them once. Raises Unavailable."""
    folder = here().root / "bench"
    done, wanted = folder / "installed", hashlib.sha256(PINS.read_bytes() + sys.version.encode()).hexdigest()
    interpreter = folder / "bin" / "python"
    if done.exists() and done.read_text() == wanted:
        return interpreter
    venv.create(folder, clear=True, with_pip=True)
    pip = [str(interpreter), "-I", "-m", "pip", "install", "--quiet", "--no-input", "--no-deps", "--require-hashes"]
    ended = subprocess.run(
        [*pip, "--disable-pip-version-check", "-r", str(PINS)], capture_output=True, text=True, check=False
    )
    if ended.returncode:
        raise Unavailable((ended.stderr.strip() or "pip failed").splitlines()[-1])
    done.write_text(wanted)
    return interpreter
