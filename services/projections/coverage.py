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
from collections.abc import Sequence
from datetime import date
from functools import cache
from itertools import product

from services.projections.card import Assessed, Help, Household
from services.projections.exits import Exited
from services.projections.model import Parts, ReadModel
from services.projections.packing import Packing, unit
from services.projections.residence import Whereabouts, whereabouts
from services.projections.steps import Cell, Course, Row, Rows
from shared.definitions import DEFINITIONS, Definition, InNeed
from shared.events.codes import Dimension, ExitReason, Level

_Told = tuple[list[Assessed], list[Help]]
"""What is known of one dimension."""
Measures = int
"""Those that hold, packed: of one definition and dimension."""


def _told() -> _Told:
    return [], []


def parts(card: Household) -> Parts:
    """Each dimension apart."""
    if not card.homes:
        return {}
    places, of = whereabouts((card.homes, card.cohort, card.classes)), defaultdict[Dimension, _Told](_told)
    exited = card.exited
    for assessed in card.assessments:
        of[assessed.dimension][0].append(assessed)
    for help_ in card.helps:
        for dimension in help_.dimensions:
            of[dimension][1].append(help_)
    return {dimension: (dimension.value, places, *told, exited) for dimension, told in of.items()}


def cells(
    dimension: str,
    places: Course[Whereabouts],
    assessments: Sequence[Assessed],
    helps: Sequence[Help],
    exited: Exited,
) -> Rows:
    """`steps.rows` of all definitions at once, packed."""
    made: dict[Row, int] = defaultdict(int)
    told, moves = _in_order(assessments, helps, exited), dict(places)
    for definition in DEFINITIONS.values():
        measured, first = _course(definition, told), unit(NUMBERS[definition.id, dimension, MEASURES[0]])
        where, held, before = places[0][1], 0, 0
        for day in sorted(moves.keys() | measured.keys()):
            there, held = moves.get(day, where), measured.get(day, held)
            now = held if _counts(definition, there) else 0
            if there != where and before:
                made[day, *where] -= before * first
                before = 0
            if now != before:
                made[day, *there] += (now - before) * first
            where, before = there, now
    return made


ASSESSED, HELPED, EXITED, BACK = range(4)
_Entry = tuple[date, int, int, bool, Level | None]
"""day, which of those, its place among its like, what is so from then on (in need; away), level."""
AWAY = frozenset({ExitReason.MOVED_AWAY, ExitReason.DISSOLVED})


def _in_order(assessments: Sequence[Assessed], helps: Sequence[Help], exited: Exited) -> list[_Entry]:
    """On the same day, help answers what was assessed, and an exit comes last."""
    asked = [(a.on, ASSESSED, n, a.in_need, None) for n, a in enumerate(assessments)]
    given = [(h.on, HELPED, n, False, h.level) for n, h in enumerate(helps)]
    if not exited:
        return sorted([*asked, *given])
    left = [(day, EXITED if reason else BACK, 0, reason in AWAY, None) for day, reason in exited]
    return sorted([*asked, *given, *left])


def _counts(definition: Definition, place: Whereabouts) -> bool:
    _, cohort, household_class = place
    return (definition.cohorts is None or cohort in definition.cohorts) and (
        definition.classes is None or household_class in definition.classes
    )


def _course(definition: Definition, told: Sequence[_Entry]) -> dict[date, Measures]:
    """The measures of one dimension from each day on, sorted by day."""
    ever = still = helped = early = away = False
    made: dict[date, Measures] = {}
    for day, what, _, holds, level in told:
        if what == ASSESSED:
            ever, still = ever or holds, holds
        elif what != HELPED:
            still, away = still and what == BACK, holds
        elif day < definition.programme_start:
            early = True
        elif level in definition.levels:
            helped, still = True, still and level is not Level.RESOLVED
        made[day] = 0 if away else _measures(definition.in_need, ever, still, helped, early)
    return made


@cache
def _measures(in_need: InNeed, ever: bool, still: bool, helped: bool, early: bool) -> Measures:
    need = ever if in_need == "ever" else still
    held = {
        "need": need,
        "reached": need and helped,
        "resolved": ever and not still,
        "unreached": still and not helped,
        "outside_need": early or (helped and not ever),
    }
    return sum(unit(1 + MEASURES.index(measure)) for measure, holds in held.items() if holds)


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
    fields=("homes", "cohort", "classes", "assessments", "helps", "exits"),
    parts=parts,
    cells=cells,
    packing=Packing(COLUMNS, ("definition", "dimension", "measure"), NUMBERS),
)
