"""The figures as the gateway answers them, beside those that the documents print."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from time import monotonic
from typing import Any

from services.demo.agencies import SECRETARIAT
from services.demo.client import READER, Gateway
from shared import published
from shared.events.codes import Cohort, Dimension, HouseholdClass
from shared.places import LEVELS, name_of
from shared.published import KHAO_SUAN_KWANG, Published

POLL_SECONDS = 0.25
WATERMARK_SECONDS = 10
"""How long a watermark is waited for: the relays write one every few seconds."""
WHOLE_COHORT = Dimension.HEALTH
"""In need of it is the whole cohort, so its denominator counts households."""


@dataclass(frozen=True)
class Line:
    """One dimension: what was computed, and what is published."""

    computed: Mapping[str, Any]
    published: Published

    @property
    def percent(self) -> Mapping[str, str]:
        return self.computed["percent"] or {"half_up": "–", "truncated": "–"}

    @property
    def same(self) -> bool:
        counts = self.computed["numerator"], self.computed["denominator"]
        share = self.published.percent in (None, self.percent[self.published.rule])
        return share and counts == (self.published.reached, self.published.in_need)


@dataclass(frozen=True)
class Count:
    """A single number: what was computed, what is published, and whether a document prints it or it is inferred."""

    th: str
    en: str
    computed: int
    published: int
    printed: bool = True
    at_least: bool = False

    @property
    def same(self) -> bool:
        return self.computed >= self.published if self.at_least else self.computed == self.published


@dataclass(frozen=True)
class Answers:
    lines: tuple[Line, ...]
    counts: tuple[Count, ...]
    standing: Mapping[str, Any]
    """Log position, newest fact, watermark, as-of of the province's figures."""

    @property
    def same(self) -> bool:
        return all(line.same for line in self.lines) and all(each.same for each in self.counts)


async def ask(gateway: Gateway) -> Answers:
    """Raises Stopped when the gateway does not answer, KeyError when it answers something else."""
    province = await _final(gateway)
    figures = {figure["dimension"]: figure for figure in province["figures"]}
    lines = tuple(Line(figures.get(line.dimension, _NOTHING), line) for line in published.TABLE)
    return Answers(lines, (*await _households(gateway), *await _pairs(gateway)), province)


async def _final(gateway: Gateway) -> dict[str, Any]:
    """The province's figures, once the watermark has passed them; provisional ones where it does not within bounds."""
    until = monotonic() + WATERMARK_SECONDS
    while True:
        answer = await gateway.get("/v1/coverage", level="province", cohort=Cohort.BMN_2561)
        if not answer["provisional"] or monotonic() > until:
            return answer
        await asyncio.sleep(POLL_SECONDS)


_NOTHING = {"numerator": 0, "denominator": 0, "percent": None}
"""For a dimension in which nobody is known to be in need."""


async def _households(gateway: Gateway) -> list[Count]:
    whole = await _in_need(gateway, "province")
    classes = [sum(await _in_need(gateway, "province", **{"class": each})) for each in HouseholdClass]
    places = [len(await _in_need(gateway, level)) for level in LEVELS if level != "province"]
    return [
        Count("ครัวเรือนเป้าหมาย", "target households", sum(whole), published.COHORT),
        Count("พัฒนาได้", "developable", classes[0], published.DEVELOPABLE),
        Count("ต้องสงเคราะห์", "needing welfare", classes[1], published.WELFARE),
        Count("อำเภอ", "districts", places[0], published.DISTRICTS),
        Count("ตำบล", "subdistricts", places[1], published.SUBDISTRICTS),
        Count("หมู่บ้าน", "villages", places[2], published.VILLAGES),
    ]


async def _in_need(gateway: Gateway, level: str, **query: str) -> list[int]:
    """Target households of each place of that level that has one.

    The secretariat asks: two households a village name their people, so a governor's token does not see villages.
    """
    who = SECRETARIAT if level == "village" else READER
    asked = {"cohort": Cohort.BMN_2561, "dimension": WHOLE_COHORT, **query}
    answer = await gateway.get("/v1/coverage", who=who, level=level, **asked)
    return [figure["denominator"] for figure in answer["figures"] if figure["denominator"]]


async def _pairs(gateway: Gateway) -> list[Count]:
    answer = await gateway.get("/v1/pairing")
    ksk = next((each for each in answer["districts"] if each["place"] == KHAO_SUAN_KWANG), dict.fromkeys(_OF_KSK, 0))
    name = name_of(KHAO_SUAN_KWANG)
    assert name is not None  # noqa: S101 (a place that the documents name)
    ours = [
        Count(f"{name.th}: {th}", f"{name.en}: {en}", ksk[field], number, printed)
        for field, (th, en, number, printed) in _OF_KSK.items()
    ]
    sums = answer["province"]
    officers = Count(
        "ข้าราชการคู่เสี่ยวทั้งจังหวัด", "officers in all", sums["helpers"], published.OFFICERS_AT_LEAST, False, True
    )
    return [*ours, officers, Count("ครัวเรือนที่ยังไม่มีคู่", "households without an officer", sums["unpaired"], 0, False)]


_OF_KSK = {
    "helpers": ("ข้าราชการคู่เสี่ยว", "officers", published.KSK_OFFICERS, True),
    "households": ("ครัวเรือน", "households", published.KSK_HOUSEHOLDS, True),
    "holding_two": ("ดูแลสองครัวเรือน", "officers with two", published.KSK_HOLDING_TWO, False),
    "holding_one": ("ดูแลหนึ่งครัวเรือน", "officers with one", published.KSK_HOLDING_ONE, False),
}
"""Field of the answer -> what it is called, what is published, and whether a document prints it."""
