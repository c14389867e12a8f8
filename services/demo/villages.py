"""Where the households live: real districts and subdistricts, invented village numbers, the documents' counts."""

from collections.abc import Sequence
from random import Random

from shared import published
from shared.places import KHON_KAEN, districts_of, subdistricts_in

KSK_VILLAGES = 35
"""Invented: Khao Suan Kwang's share of the 577 villages, as 72 is of 1,174 households."""
MOST_VILLAGES = 10
"""Invented: in a subdistrict; they get numbers from 1 to 12."""
MOST_HOUSEHOLDS = 6
"""Invented: in a village."""


def homes(rng: Random) -> list[str]:
    """A village code for each of the 1,174 households, ascending."""
    ksk = subdistricts_in(published.KHAO_SUAN_KWANG)
    rest = _subdistricts(rng, published.SUBDISTRICTS - len(ksk))
    return sorted(
        _homes(rng, ksk, KSK_VILLAGES, published.KSK_HOUSEHOLDS)
        + _homes(rng, rest, published.VILLAGES - KSK_VILLAGES, published.COHORT - published.KSK_HOUSEHOLDS)
    )


def _subdistricts(rng: Random, number: int) -> list[str]:
    """That many subdistricts outside Khao Suan Kwang, at least one in every district."""
    others = [code for code in districts_of(KHON_KAEN) if code != published.KHAO_SUAN_KWANG]
    first = [rng.choice(subdistricts_in(district)) for district in others]
    left = [code for district in others for code in subdistricts_in(district) if code not in first]
    return first + rng.sample(left, number - len(first))


def _homes(rng: Random, subdistricts: Sequence[str], villages: int, households: int) -> list[str]:
    codes = [
        f"{subdistrict}{number:02}"
        for subdistrict, many in shares(rng, subdistricts, villages, MOST_VILLAGES).items()
        for number in rng.sample(range(1, 13), many)
    ]
    return [code for code, many in shares(rng, codes, households, MOST_HOUSEHOLDS).items() for _ in range(many)]


def shares(rng: Random, cells: Sequence[str], total: int, most: int) -> dict[str, int]:
    """`total` dealt out to the cells at random: at least one and at most `most` to each."""
    share = dict.fromkeys(cells, 1)
    spare = [cell for cell in cells for _ in range(most - 1)]
    for cell in rng.sample(spare, total - len(cells)):
        share[cell] += 1
    return share
