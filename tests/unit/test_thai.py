"""Days, counts and percentages as people read them."""

from datetime import UTC, date, datetime
from decimal import ROUND_DOWN, ROUND_HALF_UP, Context, Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.thai import count, percent, signed, thai_date, thai_moment, thai_month

COUNTS = st.integers(0, 10**9)


@pytest.mark.parametrize(
    ("numerator", "denominator", "half_up", "truncated"),
    [
        (929, 1174, "79.13", "79.13"),
        (1174, 1174, "100.00", "100.00"),
        (595, 625, "95.20", "95.20"),
        (266, 367, "72.48", "72.47"),
        (0, 5, "0.00", "0.00"),
        (1, 20_000, "0.01", "0.00"),
        (1, 20_001, "0.00", "0.00"),
    ],
)
def test_percentages_of_the_published_table(numerator: int, denominator: int, half_up: str, truncated: str) -> None:
    assert percent(numerator, denominator) == (half_up, truncated)


def test_nobody_in_need_has_no_percentage() -> None:
    assert percent(0, 0) is None


@pytest.mark.parametrize("pair", [(-1, 5), (1, -5)])
def test_a_negative_count_is_a_bug(pair: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match="not negative"):
        percent(*pair)


@given(COUNTS, COUNTS.filter(bool))
def test_percentages_are_exact(numerator: int, denominator: int) -> None:
    made = percent(numerator, denominator)
    assert made is not None
    share = Fraction(100 * numerator, denominator)
    half_up, truncated = Fraction(made.half_up), Fraction(made.truncated)
    hundredth = Fraction(1, 100)
    assert truncated <= share < truncated + hundredth
    assert half_up - hundredth / 2 <= share < half_up + hundredth / 2
    assert made.differ == (half_up != truncated)


@given(COUNTS, COUNTS.filter(bool))
def test_percentages_agree_with_decimal(numerator: int, denominator: int) -> None:
    # 60 digits: no quotient of two numbers below 10^9 comes nearer to a half than that without being one
    wide = Context(prec=60).divide(Decimal(100 * numerator), Decimal(denominator))
    cent = Decimal("0.01")
    expected = (str(wide.quantize(cent, ROUND_HALF_UP)), str(wide.quantize(cent, ROUND_DOWN)))
    assert percent(numerator, denominator) == expected


@given(COUNTS)
def test_a_count_reads_back(number: int) -> None:
    assert int(count(number).replace(",", "")) == number


def test_counts_are_grouped() -> None:
    assert [count(n) for n in (7, 999, 1174, 1_234_567)] == ["7", "999", "1,174", "1,234,567"]


def test_days_are_thai_and_buddhist() -> None:
    assert thai_date(date(2019, 9, 20)) == "20 กันยายน 2562"
    assert thai_month(date(2020, 2, 29)) == "กุมภาพันธ์ 2563"


def test_a_moment_is_bangkok_s() -> None:
    assert thai_moment(datetime(2020, 11, 2, 2, 30, tzinfo=UTC)) == "2 พฤศจิกายน 2563 เวลา 09.30 น."
    assert thai_moment(datetime(2019, 12, 31, 17, 0, tzinfo=UTC)) == "1 มกราคม 2563 เวลา 00.00 น."


def test_a_moment_without_a_zone_is_a_bug() -> None:
    with pytest.raises(ValueError, match="zone"):
        thai_moment(datetime(2020, 11, 2, 2, 30))  # noqa: DTZ001


def test_a_difference_says_which_way_it_goes() -> None:
    assert [signed(number) for number in (1174, -3, 0)] == ["+1,174", "−3", "0"]
