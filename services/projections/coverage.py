"""Coverage: households in need of a dimension of help, and how far help came, as one definition counts them.

Measures of a household and dimension on a day, each 0 or 1:
  need          it was assessed in need, then or before: ever, not still, so who was helped stays in the denominator
  reached       in need, and help that counts came, then or before: a subset of need, from the later of both days on
  resolved      in need, and no longer: by help of level "resolved" or a later assessment; a new need ends it
  unreached     in need still, and no help that counts came yet: what stands on a working group's desk
  outside_need  help came without an assessed need, or before the programme: listed beside, never a part of reached
Documents A and B give the dimensions, "initial help" and the programme's start; the rest is our reading.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from itertools import groupby

from services.projections.card import Assessed, Help, Household
from services.projections.model import ReadModel
from services.projections.residence import Whereabouts, whereabouts
from services.projections.steps import Course, Rows, at, rows
from shared.events.codes import Dimension, Level


@dataclass(frozen=True)
class Definition:
    """What counts as coverage. Never changed once used: another one gets another id and stands beside it."""

    id: str
    programme_start: date
    """Help before this day does not count."""
    levels: frozenset[Level]
    """The levels of help that count as reached."""


DEFINITIONS = (Definition("coverage-1", date(2019, 9, 20), frozenset(Level)),)
"""coverage-1: from order 3091/2562 of 20 Sep 2562 on (document B), initial help is enough (document A)."""

NONE: frozenset[str] = frozenset()


def cells(card: Household) -> Rows:
    made: Rows = {}
    where = whereabouts(card)
    for definition in DEFINITIONS if where else ():
        for dimension in Dimension:
            assessments = [a for a in card.assessments if a.dimension is dimension]
            helps = [h for h in card.helps if dimension in h.dimensions]
            if assessments or helps:
                made |= _rows((definition.id, dimension.value), course(definition, assessments, helps), where)
    return made


def _rows(of: tuple[str, str], measured: Course[frozenset[str]], where: Course[Whereabouts]) -> Rows:
    (definition, dimension), first = of, where[0][1]

    def cells_on(day: date) -> frozenset[tuple[str, ...]]:
        place = at(where, day, first)
        return frozenset([(definition, *place, dimension, measure) for measure in at(measured, day, NONE)])

    return rows([day for day, _ in (*measured, *where)], cells_on)


def course(definition: Definition, assessments: Iterable[Assessed], helps: Iterable[Help]) -> Course[frozenset[str]]:
    """The measures of one dimension from each day on. On the same day, help answers what was assessed."""
    moments: list[Assessed | Help] = sorted([*assessments, *helps], key=lambda m: (m.on, isinstance(m, Help)))
    state, made = _State(definition), []
    for day, of_day in groupby(moments, key=lambda m: m.on):
        for moment in of_day:
            state.take(moment)
        made.append((day, state.measures))
    return made


class _State:
    def __init__(self, definition: Definition) -> None:
        self.definition = definition
        self.need = self.still = self.helped = self.early = False

    def take(self, moment: Assessed | Help) -> None:
        if isinstance(moment, Assessed):
            self.need, self.still = self.need or moment.in_need, moment.in_need
        elif moment.on < self.definition.programme_start:
            self.early = True
        elif moment.level in self.definition.levels:
            self.helped = True
            self.still = self.still and moment.level is not Level.RESOLVED

    @property
    def measures(self) -> frozenset[str]:
        reached = self.need and self.helped
        held = {
            "need": self.need,
            "reached": reached,
            "resolved": self.need and not self.still,
            "unreached": self.still and not self.helped,
            "outside_need": self.early or (self.helped and not self.need),
        }
        return frozenset([measure for measure, holds in held.items() if holds])


MODEL = ReadModel(
    name="coverage",
    card=Household,
    columns=("definition", "village", "cohort", "household_class", "dimension", "measure"),
    reads=("homes", "cohort", "classes", "assessments", "helps"),
    cells=cells,
)
