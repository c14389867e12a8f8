"""The printed table: what counts as the published figure, and what the reader is told about it."""

from io import StringIO
from typing import Any

import pytest
from rich.console import Console

from services.demo import table
from services.demo.answers import Answers, Count, Line
from shared import published
from shared.thai import percent


def line(number: int, **other: Any) -> Line:
    one = published.TABLE[number]
    counts = {"numerator": one.reached, "denominator": one.in_need} | other
    made = percent(counts["numerator"], counts["denominator"])
    return Line({**counts, "percent": made and made._asdict()}, one)


def answers(**other: Any) -> Answers:
    lines = (line(0, **other), *(line(number) for number in range(1, 5)))
    counts = (Count("อำเภอ", "districts", 26, 26), Count("ข้าราชการ", "officers", 597, 590, False, True))
    standing = {
        "position": {"registry": 3582, "pairing": 1771, "interventions": 4571},
        "newest_fact": "2020-11-02T02:00:00.5+00:00",
        "watermark": None,
        "provisional": True,
    }
    return Answers(lines, counts, standing)


def printed(found: Answers) -> str:
    console = Console(width=200, record=True, file=StringIO())
    table.show(found, console)
    return console.export_text()


def test_the_published_figures_are_the_same() -> None:
    assert answers().same
    assert all(line(number).same for number in range(5))


@pytest.mark.parametrize("number", range(5))
def test_one_household_more_or_fewer_differs(number: int) -> None:
    one = published.TABLE[number]
    assert not line(number, numerator=one.reached - 1).same
    assert not line(number, denominator=one.in_need + 1).same


def test_the_same_percentage_of_other_counts_differs() -> None:
    assert percent(119, 125) == percent(595, 625)
    assert not line(2, numerator=119, denominator=125).same


def test_nobody_in_need_differs() -> None:
    assert not line(0, numerator=0, denominator=0).same
    assert "–" in printed(answers(numerator=0, denominator=0))


def test_a_number_differs_unless_it_is_met() -> None:
    assert not Count("", "", 25, 26).same
    assert Count("", "", 590, 590, at_least=True).same
    assert not Count("", "", 589, 590, at_least=True).same


def test_both_roundings_are_shown_where_they_differ_and_labelled() -> None:
    text = printed(answers())
    assert "ปัดเศษ · half-up 72.48 %" in text
    assert "ตัดเศษ · truncated 72.47 %" in text
    assert text.count("79.13 %") == 3


def test_what_is_inferred_says_so() -> None:
    text = printed(answers())
    for number in (
        "929 is inferred",
        "595 / 625 is assumed",
        "367 is inferred",
        "อนุมาน · inferred",
        "เอกสาร · printed",
    ):
        assert number in text


def test_position_and_watermark_are_shown() -> None:
    text = printed(answers())
    assert "interventions 4,571, pairing 1,771, registry 3,582" in text
    assert "2 พฤศจิกายน 2563 เวลา 09.00 น." in text
    assert "ยังไม่มี · none yet" in text
    assert "provisional" in text


def test_the_verdict_is_said() -> None:
    assert "every figure is the published one" in printed(answers())
    assert "a figure is not the published one" in printed(answers(numerator=928))
