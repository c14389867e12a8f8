"""The counts that `test` ends with."""

from pathlib import Path

from deploy.local import checks
from deploy.local.checks import Counts

REPORT = """<?xml version="1.0" encoding="utf-8"?>
<testsuites><testsuite name="pytest" errors="1" failures="2" skipped="3" tests="10"/></testsuites>"""


def test_an_error_of_a_fixture_counts_as_a_failure(tmp_path: Path):
    report = tmp_path / "junit.xml"
    report.write_text(REPORT)
    assert checks.read(report) == Counts(passed=4, failed=3, skipped=3)


def test_the_closing_line():
    assert str(Counts(passed=7)) == "7 passed, 0 failed"
    assert str(Counts(passed=7, failed=1) + Counts(skipped=2)) == "7 passed, 1 failed, 2 skipped"
