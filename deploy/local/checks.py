"""`test`: everything CI runs, in the order in which a mistake is cheapest to find; ends with one line of counts."""

import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

from rich.console import Console

from deploy.local import watched
from deploy.local.trouble import Trouble

ROOT = Path(__file__).parents[2]
CODE = ("shared", "services", "deploy")
STATIC: dict[str, tuple[str, ...]] = {
    "ruff check": ("ruff", "check", "."),
    "ruff format": ("ruff", "format", "--check", "."),
    "mypy": ("mypy", *CODE),
    "import-linter": (str(Path(sys.executable).with_name("lint-imports")), "--no-cache"),
}
"""Name -> module or script, and its arguments. Each counts as one test."""
FOLDERS = ("unit", "contracts", "integration", "faults", "e2e")
NO_TESTS = 5
"""pytest's exit code when it found none."""


@dataclass(frozen=True)
class Counts:
    passed: int = 0
    failed: int = 0
    skipped: int = 0

    def __add__(self, other: "Counts") -> "Counts":
        return Counts(self.passed + other.passed, self.failed + other.failed, self.skipped + other.skipped)

    def __str__(self) -> str:
        skipped = f", {self.skipped} skipped" if self.skipped else ""
        return f"{self.passed} passed, {self.failed} failed{skipped}"


def run(console: Console) -> int:
    """Runs all of it, whatever fails on the way; 0 only if nothing did."""
    total = Counts()
    for counts in _all(console):
        total += counts
    console.print(str(total), highlight=False)
    return 1 if total.failed else 0


def faults(seeds: int, first: int) -> int:
    """So many seeds of faults (tests/support/seeded); 0 only if every promise held."""
    return _run("tests.support.seeded", "--seeds", str(seeds), "--first", str(first))


def _all(console: Console) -> Iterator[Counts]:
    for name, command in STATIC.items():
        console.rule(name, align="left")
        yield Counts(failed=1) if _run(*command) else Counts(passed=1)
    for folder in FOLDERS:
        if (ROOT / "tests" / folder).is_dir():
            console.rule(f"tests/{folder}", align="left")
            yield _pytest(f"tests/{folder}")


def _pytest(folder: str) -> Counts:
    with tempfile.TemporaryDirectory() as place:
        report = Path(place, "junit.xml")
        code = _run("pytest", folder, f"--junitxml={report}", "-o", "junit_family=xunit2")
        if code == NO_TESTS:
            return Counts()
        counts = read(report) if report.exists() else Counts()
        return counts if counts.failed or not code else counts + Counts(failed=1)  # it broke outside of any test


def bench(arguments: Sequence[str]) -> int:
    """Measures; the exit code of tests/benchmarks. Raises Trouble where there are no tests to run."""
    if not (ROOT / "tests" / "benchmarks").is_dir():
        raise Trouble(
            "The benchmark is part of the source: run it from a checkout.", "โปรดสั่งจากชุดซอร์สโค้ดที่มีโฟลเดอร์ tests"
        )
    return _run("tests.benchmarks", *arguments)


def read(report: Path) -> Counts:
    """The counts in a JUnit file; an error of a fixture is a failure."""
    suites = ElementTree.parse(report).getroot().iter("testsuite")  # noqa: S314  (pytest has just written it)
    total = Counts()
    for suite in suites:
        count = {name: int(suite.get(name, 0)) for name in ("tests", "failures", "errors", "skipped")}
        failed = count["failures"] + count["errors"]
        total += Counts(count["tests"] - failed - count["skipped"], failed, count["skipped"])
    return total


def _run(module: str, *arguments: str) -> int:
    child = watched.start(module, *arguments)
    try:
        return child.wait()
    finally:
        watched.end(child)
