"""Officers of all agencies, and which two households each looks after (documents A and B: one officer, two)."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from random import Random

from services.demo.agencies import STEERING
from services.demo.households import Household
from services.demo.ids import day_between, new_id
from services.demo.people import People
from shared import published

HOUSEHOLDS_EACH = 2
NAMED = date(2019, 9, 23), date(2019, 9, 30)
"""Invented: the days on which agencies named their officers, after the order of 20 September 2562."""
PAIRED = date(2019, 10, 1), date(2019, 10, 31)
"""Invented: the days of pairing."""


@dataclass(frozen=True)
class Officer:
    id: str
    district: str
    office: str
    name: str
    named_on: date


@dataclass(frozen=True)
class Pair:
    household: str
    officer: str
    paired_on: date
    pool: int
    """Officers of the district who still had room when this pair was made."""


def needed(households: Sequence[Household]) -> dict[str, int]:
    """Officers per district: as printed in Khao Suan Kwang, elsewhere one for every two households begun.

    In all 39 + 551 + one more for every two districts with an odd number of households.
    """
    in_district = Counter(household.district for household in households)
    least = {district: -(-number // HOUSEHOLDS_EACH) for district, number in sorted(in_district.items())}
    return least | {published.KHAO_SUAN_KWANG: published.KSK_OFFICERS}


def officers(rng: Random, people: People, households: Sequence[Household]) -> tuple[Officer, ...]:
    """Every agency of the steering group in turn, so that each has officers in many districts."""
    posts = [district for district, number in needed(households).items() for _ in range(number)]
    offices = [STEERING[n % len(STEERING)].slug for n in range(len(posts))]
    rng.shuffle(offices)
    return tuple(
        Officer(new_id("hp", rng), district, office, people.name(), day_between(rng, *NAMED))
        for district, office in zip(posts, offices, strict=True)
    )


def pairs(rng: Random, households: Sequence[Household], officers: Sequence[Officer]) -> tuple[Pair, ...]:
    """One lead officer for every household, of its own district."""
    return tuple(
        pair
        for district in sorted({officer.district for officer in officers})
        for pair in _pairs(
            rng,
            [household.id for household in households if household.district == district],
            [officer.id for officer in officers if officer.district == district],
        )
    )


def _pairs(rng: Random, households: list[str], officers: list[str]) -> list[Pair]:
    """Each officer gets one household, then some a second, so nobody stays without while another has two."""
    rng.shuffle(officers)
    turns = [*officers, *officers][: len(households)]
    rng.shuffle(households)
    days = sorted(day_between(rng, *PAIRED) for _ in households)
    full = max(0, len(households) - len(officers))
    room = [len(officers) - max(0, turn - len(officers)) for turn in range(len(officers) + full)]
    return [Pair(*pair) for pair in zip(households, turns, days, room, strict=True)]
