"""What agencies entered wrongly and set right before the interview: for some weeks it counts, and at the end nothing of
it does. All of it is invented; the documents speak of no mistake.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from itertools import chain
from random import Random
from typing import Any

from services.demo.entries import Entry, assess, entries, month_end, numbered, record
from services.demo.help import Deliveries, Delivery
from services.demo.households import INTERVIEWERS, Assessment, Household
from services.demo.ids import day_between
from services.demo.province import Province
from shared.events.codes import Dimension, Level, Source, VoidReason

MADE = date(2020, 8, 24), date(2020, 9, 20)
FOUND = date(2020, 10, 5), date(2020, 10, 30)
"""When mistakes were made; and found, as records were gone through before the interview of 2 November 2563."""
WRONG_HOUSEHOLD, WRONG_DIMENSION, WRONG_NEED = 8, 4, 3
"""How many of each kind."""
FOURTH = 4
"""Version of an entry in a household's stream, after its registration, its class and its first assessment."""


def everything(province: Province) -> list[Entry]:
    """The province's records, and among them what was wrong and what set it right; in the order of sending."""
    return sorted([*entries(province), *mistakes(province)], key=lambda entry: entry.sent_at)


def mistakes(province: Province) -> list[Entry]:
    rng = Random(f"siao {province.seed} mistakes")  # noqa: S311 (a demonstration must come out the same again)
    made = chain(_of_another_household(rng, province), _of_another_dimension(rng, province), _no_need(rng, province))
    return list(numbered(f"demo-{province.seed}-mistake", made))


def _of_another_household(rng: Random, province: Province) -> Iterator[Entry]:
    """Cash that another household got: voided."""
    for home in rng.sample(_unreached(province, Dimension.WELFARE), WRONG_HOUSEHOLD):
        wrong = record(_help(rng, home, Dimension.WELFARE))
        yield wrong
        found = day_between(rng, *FOUND)
        about = {name: wrong.command["data"][name] for name in ("household", "intervention")}
        data = {"occurred_on": found.isoformat(), **about, "reason": VoidReason.WRONG_HOUSEHOLD}
        yield _set_right(wrong, found, "VoidIntervention.v1", data)


def _of_another_dimension(rng: Random, province: Province) -> Iterator[Entry]:
    """Help with the household's living, entered as for its schooling: corrected."""
    for home in rng.sample(_unreached(province, Dimension.EDUCATION), WRONG_DIMENSION):
        right = _help(rng, home, Dimension.LIVING)
        wrong = record(replace(right, dimensions=(Dimension.EDUCATION,)))
        yield wrong
        yield _set_right(wrong, day_between(rng, *FOUND), "CorrectIntervention.v1", record(right).command["data"])


def _no_need(rng: Random, province: Province) -> Iterator[Entry]:
    """A visit that found the needs known before, entered with one more: corrected."""
    asked = Counter(assessment.household for assessment in province.assessments)
    homes = [home for home in province.households if asked[home.id] == 1 and Dimension.OCCUPATION not in home.needs]
    for home in rng.sample(homes, WRONG_NEED):
        day, interviewer = day_between(rng, *MADE), rng.choice(INTERVIEWERS)
        right = Assessment(home.id, home.needs, day, Source.HOME_VISIT, interviewer)
        wrong = assess(replace(right, needs=home.needs | {Dimension.OCCUPATION}))
        yield wrong
        data = assess(right).command["data"] | {"corrects": FOURTH}
        yield _set_right(wrong, day_between(rng, *FOUND), "CorrectAssessment.v1", data)


def _unreached(province: Province, dimension: Dimension) -> list[Household]:
    helped = {delivery.household for delivery in province.deliveries if dimension in delivery.dimensions}
    return [home for home in province.households if dimension in home.needs and home.id not in helped]


def _help(rng: Random, home: Household, dimension: Dimension) -> Delivery:
    day = day_between(rng, *MADE)
    return replace(Deliveries(rng, ()).one(home, dimension, day, Level.INITIAL), reported_on=day)


def _set_right(wrong: Entry, found: date, command: str, data: dict[str, Any]) -> Entry:
    """By the agency that had entered it: nobody else may."""
    return Entry(month_end(found), wrong.service, wrong.agency, {"type": command, "data": data})
