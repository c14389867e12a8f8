"""The 1,174 target households: who lives there, their class, and in which dimensions they are in need."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from random import Random

from services.demo.ids import day_between, new_id
from services.demo.people import People, Person
from services.demo.villages import homes
from shared import published
from shared.events.codes import Dimension, HouseholdClass, Relation, Source
from shared.places import district_of

LISTED = date(2019, 6, 3), date(2019, 8, 30)
"""Invented: the days on which households were put on the programme's list, after the study visit of March 2019."""
JUDGED = date(2019, 9, 2), date(2019, 9, 19)
"""Invented: the days of classing and assessing, before the programme began."""
BMN_SURVEY = date(2018, 1, 15), date(2018, 3, 30)
"""Invented: the days of the จปฐ. survey of 2561."""

WELFARE_IN_WORK = 35
"""Invented: households that need welfare and help with work too; the other 590 of 625 are developable."""
INTERVIEWERS = (
    "community-development",
    "social-development",
    "public-health",
    "primary-education",
    "example-agency-01",
)
SOURCES = (Source.HOUSE_FILE, Source.SURVEY_VILLAGE, Source.BMN_SURVEY)
"""Of the first assessment. Not the TPMAP Logbook: its pilots began in November 2562."""
REVIEWS = 60
REVIEWED = date(2019, 12, 2), date(2020, 8, 28)
"""Invented: how many households were asked again, and when."""


@dataclass(frozen=True)
class Household:
    """One target household, as the agencies know it before the programme begins."""

    id: str
    village: str
    house_number: str
    members: tuple[Person, ...]
    listed_on: date
    household_class: HouseholdClass
    classed_on: date
    needs: frozenset[Dimension]

    @property
    def district(self) -> str:
        return district_of(self.village)


@dataclass(frozen=True)
class Assessment:
    """One interview about the needs of a household. Every dimension is asked about."""

    household: str
    needs: frozenset[Dimension]
    day: date
    source: Source
    interviewer: str


@dataclass(frozen=True)
class _Lot:
    """What was drawn for one household."""

    developable: bool
    occupation: bool
    education: bool


def households(rng: Random) -> tuple[Household, ...]:
    """In the order of their villages' codes."""
    villages = homes(rng)
    lots = _lots(rng, len(villages))
    people = People(rng)
    return tuple(_household(rng, people, village, lot) for village, lot in zip(villages, lots, strict=True))


def _lots(rng: Random, number: int) -> list[_Lot]:
    """Class and needs, drawn so that the counts come out; help with work goes mostly to the developable."""
    in_need = {line.dimension: line.in_need for line in published.TABLE}
    order = rng.sample(range(number), number)
    developable, welfare = order[: published.DEVELOPABLE], order[published.DEVELOPABLE :]
    work = in_need[Dimension.OCCUPATION] - WELFARE_IN_WORK
    occupation = {*developable[:work], *welfare[:WELFARE_IN_WORK]}
    education = set(rng.sample(range(number), in_need[Dimension.EDUCATION]))
    chosen = set(developable)
    return [_Lot(n in chosen, n in occupation, n in education) for n in range(number)]


def _household(rng: Random, people: People, village: str, lot: _Lot) -> Household:
    return Household(
        id=new_id("hh", rng),
        village=village,
        house_number=f"{rng.randint(1, 240)}/{rng.randint(1, 9)}" if rng.random() < 1 / 3 else str(rng.randint(1, 240)),
        members=_members(rng, people, lot),
        listed_on=day_between(rng, *LISTED),
        household_class=HouseholdClass.DEVELOPABLE if lot.developable else HouseholdClass.WELFARE,
        classed_on=day_between(rng, *JUDGED),
        needs=_needs(lot),
    )


def assessments(rng: Random, households: Sequence[Household]) -> tuple[Assessment, ...]:
    """One for every household before the programme, and later a second for some, which finds the same."""
    return tuple(
        [_first_assessment(rng, home) for home in households]
        + [_review(rng, home) for home in rng.sample(households, REVIEWS)]
    )


def _first_assessment(rng: Random, home: Household) -> Assessment:
    source = rng.choice(SOURCES)
    days = BMN_SURVEY if source is Source.BMN_SURVEY else JUDGED
    return Assessment(home.id, home.needs, day_between(rng, *days), source, rng.choice(INTERVIEWERS))


def _review(rng: Random, home: Household) -> Assessment:
    source = rng.choice((Source.TPMAP_LOGBOOK, Source.HOME_VISIT))
    return Assessment(home.id, home.needs, day_between(rng, *REVIEWED), source, rng.choice(INTERVIEWERS))


def _needs(lot: _Lot) -> frozenset[Dimension]:
    """Welfare, health and living are counted over the whole cohort; the other two over those who need them."""
    asked = {Dimension.OCCUPATION: lot.occupation, Dimension.EDUCATION: lot.education}
    return frozenset(dimension for dimension in Dimension if asked.get(dimension, True))


def _members(rng: Random, people: People, lot: _Lot) -> tuple[Person, ...]:
    """Somebody to work where work is the need, somebody at school where school is; ages else invented."""
    ages = (27, 58) if lot.occupation or lot.developable else (61, 86)
    members = [people.person(Relation.HEAD, *ages)]
    if rng.random() < 1 / 2:
        members.append(people.person(Relation.SPOUSE, *ages))
    if lot.education:
        members += [people.person(Relation.CHILD, 6, 15) for _ in range(rng.randint(1, 2))]
    if rng.random() < 1 / 4:
        members.append(people.person(rng.choice((Relation.PARENT, Relation.OTHER)), 62, 88))
    return tuple(members)
