"""Coverage: households in need of a dimension of help, and how far help came, as each definition counts them.

Measures of a household and dimension on a day, each 0 or 1:
  need          it was assessed in need, then or before, so that who was helped stays in the denominator; or, where
                the definition counts who is "still" in need, it was and that is not over
  reached       in need, and help that counts came, then or before: a subset of need, from the later of both days on
  resolved      in need, and no longer: by help of level "resolved", a later assessment or an exit; a new need ends it
  unreached     in need still, and no help that counts came yet: what stands on a working group's desk
  outside_need  help came without an assessed need, or before the programme: listed beside, never a part of reached
Documents A and B give the dimensions, "initial help" and the programme's start; the rest is our reading.

An exit (policy of ours, exits.py) ends every need. One that was lifted out of poverty stays counted as who was helped;
one that moved away or dissolved counts in nothing, under any definition, until it is back; what is recorded of it
meanwhile, another exit too, changes no figure of that time. Then what was ever assessed and given counts again, and in
need still is only what is assessed from that day on.
"""

from collections import defaultdict
from collections.abc import Collection, Sequence
from datetime import date
from functools import cache, lru_cache
from itertools import product
from operator import attrgetter
from typing import Any, NamedTuple, TypeVar

from services.projections.card import Household
from services.projections.model import ReadModel
from services.projections.packing import Packing, unit
from services.projections.residence import Whereabouts, whereabouts
from services.projections.steps import Cell, Course, Row, Rows
from shared.definitions import DEFINITIONS, Definition
from shared.events.codes import Dimension, ExitReason, Level


def touched(before: Household, after: Household) -> Collection[Dimension]:
    """Each dimension is a part of its own."""
    if _around(before) == _around(after):
        assessments, helps = _other(before.assessments, after.assessments), _other(before.helps, after.helps)
    else:
        assessments, helps = (*before.assessments, *after.assessments), (*before.helps, *after.helps)
    return {assessed.dimension for assessed in assessments}.union(*(help_.dimensions for help_ in helps))


_around = attrgetter("homes", "cohort", "classes", "exited")
"""Of a card, what concerns every dimension."""
T = TypeVar("T")


def _other(before: tuple[T, ...], after: tuple[T, ...]) -> tuple[T, ...]:
    """The entries in which they may differ. Most facts add one at the end."""
    known = len(before)
    return after[known:] if after[:known] == before else (*before, *after)


def cells(card: Household, dimension: Dimension) -> Rows:
    """Of all definitions, packed."""
    if not card.homes:
        return {}
    definitions, places = tuple(DEFINITIONS.values()), whereabouts((card.homes, card.cohort, card.classes))
    made: dict[Row, int] = defaultdict(int)
    where, seen, before = places[0][1], (NOTHING,) * len(definitions), 0
    for day, what, _, told in _in_order(definitions, card, dimension, places):
        if what == MOVED:
            made[day, *where] -= before
            where, before = told, 0
        else:
            seen = _after(seen, what, told)
        now = _packed(definitions, dimension, seen, where[1], where[2])
        if now != before:
            made[day, *where] += now - before
            before = now
    return {row: n for row, n in made.items() if n}


class Seen(NamedTuple):
    """Of a household in one dimension, as one definition sees it."""

    ever: bool
    """Assessed in need."""
    still: bool
    helped: bool
    early: bool
    """Helped before the programme."""
    away: bool
    """Exited, and counted in nothing."""


NOTHING = Seen(ever=False, still=False, helped=False, early=False, away=False)
MOVED, ASSESSED, HELPED, EXITED, BACK = range(5)
_Entry = tuple[date, int, int, Any]
"""day, which of those, its place among its like, what it says."""
AWAY = frozenset({ExitReason.MOVED_AWAY, ExitReason.DISSOLVED})


def _in_order(
    definitions: Sequence[Definition], card: Household, dimension: Dimension, places: Course[Whereabouts]
) -> list[_Entry]:
    """On the same day, help answers what was assessed, and an exit comes last. Nothing where nothing was told of it."""
    every: list[_Entry] = [
        (a.on, ASSESSED, n, a.in_need) for n, a in enumerate(card.assessments) if a.dimension is dimension
    ]
    every += [
        (h.on, HELPED, n, _counts(definitions, h.level, h.on))
        for n, h in enumerate(card.helps)
        if dimension in h.dimensions
    ]
    if every:
        every += [(day, MOVED, 0, there) for day, there in places[1:]]
        every += [(day, EXITED if reason else BACK, 0, reason in AWAY) for day, reason in card.exited]
    return sorted(every)


EARLY, TOO_LITTLE, ENOUGH, RESOLVED = range(4)


@lru_cache(maxsize=10_000)
def _counts(definitions: Sequence[Definition], level: Level, day: date) -> Sequence[int]:
    """What help comes to by each definition."""
    return tuple(_comes_to(definition, level, day) for definition in definitions)


def _comes_to(definition: Definition, level: Level, day: date) -> int:
    if day < definition.programme_start:
        return EARLY
    if level not in definition.levels:
        return TOO_LITTLE
    return RESOLVED if level is Level.RESOLVED else ENOUGH


@cache
def _after(every: tuple[Seen, ...], what: int, told: Any) -> tuple[Seen, ...]:
    """By each definition, after one more entry."""
    if what == HELPED:
        return tuple(map(_helped, every, told))
    if what == ASSESSED:
        return tuple(one._replace(ever=one.ever or told, still=told) for one in every)
    return tuple(one._replace(still=one.still and what == BACK, away=told) for one in every)


def _helped(one: Seen, counts: int) -> Seen:
    if counts == EARLY:
        return one._replace(early=True)
    if counts == TOO_LITTLE:
        return one
    return one._replace(helped=True, still=one.still and counts != RESOLVED)


@cache
def _packed(
    definitions: Sequence[Definition],
    dimension: Dimension,
    every: Sequence[Seen],
    cohort: str,
    household_class: str,
) -> int:
    return sum(
        unit(NUMBERS[definition.id, dimension, measure])
        for definition, one in zip(definitions, every, strict=True)
        if not one.away and _of_whom(definition, cohort, household_class)
        for measure in _measures(definition, one)
    )


def _of_whom(definition: Definition, cohort: str, household_class: str) -> bool:
    return (definition.cohorts is None or cohort in definition.cohorts) and (
        definition.classes is None or household_class in definition.classes
    )


def _measures(definition: Definition, one: Seen) -> list[str]:
    """Those that hold."""
    need = one.ever if definition.in_need == "ever" else one.still
    held = {
        "need": need,
        "reached": need and one.helped,
        "resolved": one.ever and not one.still,
        "unreached": one.still and not one.helped,
        "outside_need": one.early or (one.helped and not one.ever),
    }
    return [measure for measure, holds in held.items() if holds]


COLUMNS = ("definition", "village", "cohort", "household_class", "dimension", "measure")
MEASURES = ("need", "reached", "resolved", "unreached", "outside_need")
NUMBERS: dict[Cell, int] = {
    told: number for number, told in enumerate(product(DEFINITIONS, map(str, Dimension), MEASURES), start=1)
}
"""As the view coverage_changes says; a new definition comes last, in it too."""

MODEL = ReadModel(
    name="coverage",
    card=Household,
    columns=COLUMNS,
    touched=touched,
    cells=cells,
    packing=Packing(COLUMNS, ("definition", "dimension", "measure"), NUMBERS),
)
