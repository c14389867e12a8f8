"""How numbers and days are written for people: Buddhist-era dates in Thai, grouped counts, exact percentages."""

from datetime import date, datetime, timedelta, timezone
from decimal import Decimal
from typing import NamedTuple

from shared.events.base import BUDDHIST_ERA

BANGKOK = timezone(timedelta(hours=7), "Asia/Bangkok")
"""Thailand has had no other offset since 1920, so no time-zone database is needed."""

MONTHS = (
    "มกราคม",
    "กุมภาพันธ์",
    "มีนาคม",
    "เมษายน",
    "พฤษภาคม",
    "มิถุนายน",
    "กรกฎาคม",
    "สิงหาคม",
    "กันยายน",
    "ตุลาคม",
    "พฤศจิกายน",
    "ธันวาคม",
)


def thai_year(year: int) -> int:
    """Common era -> Buddhist era: 2019 -> 2562."""
    return year + BUDDHIST_ERA


def thai_date(day: date) -> str:
    """2019-09-20 -> '20 กันยายน 2562'."""
    return f"{day.day} {thai_month(day)}"


def thai_month(day: date) -> str:
    """2019-09-20 -> 'กันยายน 2562'."""
    return f"{MONTHS[day.month - 1]} {thai_year(day.year)}"


def thai_moment(at: datetime) -> str:
    """A moment as Bangkok's clocks show it: '2 พฤศจิกายน 2563 เวลา 09.30 น.', as document A writes it.

    Raises ValueError for a moment without a zone: whose 09.30 would it be?
    """
    if at.utcoffset() is None:
        raise ValueError("a moment needs a zone")
    local = at.astimezone(BANGKOK)
    return f"{thai_date(local)} เวลา {local:%H.%M} น."


def count(number: int) -> str:
    """1174 -> '1,174'. Thai offices write Arabic digits grouped by three."""
    return f"{number:,}"


def signed(number: int) -> str:
    """A difference: 1174 -> '+1,174', -3 -> '−3' (the minus sign, as wide as the plus), 0 -> '0'."""
    return f"{number:+,}".replace("-", "−") if number else "0"


class Percent(NamedTuple):
    """One percentage under both rounding rules, two decimals, without the sign."""

    half_up: str
    truncated: str

    @property
    def differ(self) -> bool:
        return self.half_up != self.truncated


def percent(numerator: int, denominator: int) -> Percent | None:
    """Both roundings of numerator/denominator, from integers alone; None where nobody is counted below.

    percent(266, 367) -> ('72.48', '72.47'). Raises ValueError for a negative count.
    """
    if numerator < 0 or denominator < 0:
        raise ValueError("counts are not negative")
    if denominator == 0:
        return None
    hundredths, rest = divmod(numerator * 10_000, denominator)
    return Percent(_two_places(hundredths + (2 * rest >= denominator)), _two_places(hundredths))


def _two_places(hundredths: int) -> str:
    return f"{Decimal(hundredths).scaleb(-2):.2f}"
