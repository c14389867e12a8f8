"""The table of document A: each number stands in it once, and what is not printed says where it comes from."""

from pathlib import Path

import pytest

from shared import thai
from shared.published import BY_DIMENSION, ROUNDED_DOWN, TABLE, Published

each = pytest.mark.parametrize("line", TABLE, ids=lambda line: line.dimension.value)
ROOT = Path(__file__).parents[2]


@each
def test_the_printed_percentage_comes_out_under_its_rule(line: Published) -> None:
    assert line.percent in (None, getattr(line.roundings, line.rule))
    assert (line.percent is None) == ("percent" in line.not_printed)


@each
def test_a_number_is_printed_or_said_to_be_inferred(line: Published) -> None:
    counts = {"reached": thai.count(line.reached), "in_need": thai.count(line.in_need)}
    for name, number in counts.items():
        for text in (line.inferred_th, line.inferred) if name in line.not_printed else (line.printed,):
            assert number in text
    if line.percent:
        assert line.percent.removesuffix(".00") in line.printed
    assert "อนุมาน" in line.inferred_th or "ข้อสมมุติ" in line.inferred_th
    assert "{" not in line.inferred_th + line.inferred


def test_what_neither_rounding_shows() -> None:
    [education] = ROUNDED_DOWN
    assert education.digits == "72.4795"
    assert education.roundings == ("72.48", "72.47")
    assert BY_DIMENSION[education.dimension] is education


def test_no_page_types_a_published_number_again() -> None:
    pages = "".join(page.read_text() for page in (ROOT / "services/gateway/templates").glob("*.html"))
    for line in TABLE:
        for number in (thai.count(line.reached), thai.count(line.in_need), line.digits, line.percent or "none printed"):
            assert number not in pages
