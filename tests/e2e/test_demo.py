"""`demo --once` on an empty home: the published table from a real Kafka and PostgreSQL; again; and after kill -9."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from services.demo.mistakes import everything
from services.demo.province import make
from tests.support.launching import ROOT, SECONDS, Demonstrated

DEMO = (sys.executable, "-m", "deploy.local", "demo", "--once")
POSITION = re.compile(r"log position: interventions ([\d,]+), pairing ([\d,]+), registry ([\d,]+)")

RECORDED = re.compile(r"([\d,]+) newly recorded")


@contextmanager
def demo(home: Path) -> Iterator["subprocess.Popen[str]"]:
    environment = {**os.environ, "SIAO_HOME": str(home), "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(
        DEMO, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        try:
            yield process
        finally:
            process.terminate()


def ended(home: Path) -> tuple[int, str]:
    """Exit code and what was said of a whole run."""
    with demo(home) as process:
        said, _ = process.communicate(timeout=SECONDS)
    return process.returncode, said


def position(said: str) -> tuple[int, ...]:
    found = POSITION.search(said)
    assert found, said
    return tuple(int(number.replace(",", "")) for number in found.groups())


def recorded(said: str) -> int:
    """How many commands this run was the first to bring."""
    found = RECORDED.search(said)
    assert found, said
    return int(found.group(1).replace(",", ""))


def test_a_bare_home_gives_the_published_table(demonstrated: Demonstrated) -> None:
    _, code, said = demonstrated
    assert code == 0, said
    for figure in (
        "929 / 1,174",
        "79.13 %",
        "595 / 625",
        "95.20 %",
        "266 / 367",
        "half-up 72.48 %",
        "truncated 72.47 %",
    ):
        assert figure in said
    assert "differs" not in said
    assert "provisional" not in said
    assert sum(position(said)) == len(everything(make()))


def test_a_second_run_resumes_and_publishes_nothing(demonstrated: Demonstrated) -> None:
    code, said = ended(demonstrated.home)
    assert code == 0, said
    assert "everything was published before" in said
    assert position(said) == position(demonstrated.said)


def test_killed_in_the_middle_it_goes_on_where_it_was(tmp_path: Path) -> None:
    with demo(tmp_path) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if "· January 2020 " in line:
                process.send_signal(signal.SIGKILL)
                break
    code, said = ended(tmp_path)
    assert code == 0, said
    assert "differs" not in said
    assert 0 < recorded(said) < len(everything(make()))
