"""Histories whose rows are pinned, each event type in one of them. What is frozen of them is never made again, so a
story may be added here, and a frozen one changed to no effect."""

import random
from collections.abc import Iterator
from datetime import date, timedelta

from shared.events.base import Event
from shared.events.codes import Cohort, Dimension, EndReason, ExitReason, HouseholdClass, Level, PairRole
from tests.support import mended
from tests.support.log import assessed, assigned, classified, delivered, ended, enrolled, helper, household, registered

A, B, C = (household(n) for n in range(1, 4))
P, Q = helper(1), helper(2)
BEFORE, FIRST = date(2019, 9, 10), date(2019, 9, 20)
"""A day before the programme, and its first."""
DAYS = [date(2019, 10, 1) + timedelta(days=7 * n) for n in range(8)]

Told = Iterator[tuple[str, Event]]


def needs() -> Told:
    """Each measure of coverage, under both definitions: help too early, too little, enough, and a need that returns."""
    yield f"household-{A}", registered(A, on=BEFORE)
    yield f"case-{A}", delivered(A, 1, Dimension.HEALTH, on=BEFORE)
    yield f"case-{A}", delivered(A, 2, Dimension.OCCUPATION, on=FIRST, level=Level.CONTINUING)
    yield f"household-{A}", assessed(A, DAYS[1], health=True, living=True, education=False)
    yield f"case-{A}", delivered(A, 3, Dimension.HEALTH, on=DAYS[2])
    yield f"case-{A}", delivered(A, 4, Dimension.HEALTH, Dimension.LIVING, on=DAYS[3], level=Level.CONTINUING)
    yield f"case-{A}", delivered(A, 5, Dimension.LIVING, on=DAYS[4], level=Level.RESOLVED)
    yield f"household-{A}", assessed(A, DAYS[5], living=True, health=False)
    yield f"case-{A}", delivered(A, 7, Dimension.HEALTH, on=DAYS[6], level=Level.CONTINUING)
    yield f"household-{B}", registered(B, "40010101", cohort=None)
    yield f"household-{B}", assessed(B, DAYS[3], welfare=True)
    yield f"household-{B}", assessed(B, DAYS[2], welfare=False)
    yield f"case-{B}", delivered(B, 6, Dimension.WELFARE, on=DAYS[3], level=Level.RESOLVED)


def corrections() -> Told:
    yield f"household-{A}", registered(A)
    yield f"household-{A}", assessed(A, DAYS[0], health=True)
    yield f"household-{A}", mended.assessment_corrected(A, 2, DAYS[1], living=True)
    yield f"household-{A}", classified(A, HouseholdClass.WELFARE, DAYS[1])
    yield f"household-{A}", mended.class_corrected(A, 4, HouseholdClass.DEVELOPABLE, DAYS[2])
    yield f"case-{A}", delivered(A, 1, Dimension.LIVING, on=DAYS[3])
    yield f"case-{A}", mended.help_corrected(A, 1, Dimension.HEALTH, on=DAYS[4], level=Level.RESOLVED)
    yield f"case-{A}", delivered(A, 2, Dimension.LIVING, on=DAYS[4])
    yield f"case-{A}", mended.help_voided(A, 2, DAYS[5])
    yield f"household-{A}", mended.registration_corrected(A, "40190202", BEFORE, cohort=None)
    yield f"household-{A}", mended.entry_voided(A, 2)
    yield f"household-{B}", registered(B)
    yield f"household-{B}", assessed(B, DAYS[0], health=True)
    yield f"household-{B}", mended.entry_voided(B, 1)


def moves() -> Told:
    yield f"household-{A}", registered(A)
    yield f"household-{A}", assessed(A, DAYS[0], health=True)
    yield f"pairing-{A}", assigned(A, P, DAYS[0])
    yield f"household-{A}", mended.relocated(A, "40010101", DAYS[2])
    yield f"household-{A}", classified(A, HouseholdClass.DEVELOPABLE, DAYS[1])
    yield f"household-{A}", mended.relocation_corrected(A, 3, "40020101", DAYS[3])
    yield f"household-{A}", mended.relocated(A, "40190101", DAYS[5])
    yield f"household-{A}", mended.relocated(A, "40010202", DAYS[5])
    yield f"household-{A}", classified(A, HouseholdClass.WELFARE, DAYS[4])
    yield f"household-{A}", classified(A, HouseholdClass.DEVELOPABLE, DAYS[4])


def recodings() -> Told:
    """A village gets another code; who had left it, as is found out later, and who comes to it, keeps its own."""
    for key in A, B, C:
        yield f"household-{key}", registered(key, "40190101")
        yield f"household-{key}", assessed(key, DAYS[0], health=True)
        yield f"household-{key}", mended.recoded(key, "40190101", "40190121", DAYS[3])
    yield f"household-{A}", mended.relocated(A, "40190101", DAYS[5])
    yield f"household-{B}", mended.relocated(B, "40010101", DAYS[2])
    yield f"household-{B}", mended.recoded(B, "40190121", "40020101", DAYS[6])
    yield f"household-{C}", mended.recoding_corrected(C, 3, "40190122", DAYS[4])
    yield f"household-{C}", mended.recoded(C, "40190122", "40190101", DAYS[4])
    yield f"household-{C}", mended.recoded(C, "40190101", "40010101", DAYS[6])
    yield f"household-{C}", mended.entry_voided(C, 6)


def pairs() -> Told:
    yield f"helper-{P}", enrolled(P)
    yield f"helper-{Q}", enrolled(Q, "4001")
    yield f"helper-{P}", mended.helper_corrected(P, "4002", DAYS[1])
    yield f"helper-{Q}", mended.helper_voided(Q, DAYS[6])
    yield f"household-{A}", registered(A)
    yield f"pairing-{A}", assigned(A, P, DAYS[0])
    yield f"pairing-{A}", mended.pair_corrected(A, P, 1, DAYS[1])
    yield f"pairing-{A}", assigned(A, Q, DAYS[2], PairRole.SUPPORTING)
    yield f"pairing-{A}", ended(A, P, DAYS[3])
    yield f"pairing-{A}", mended.end_corrected(A, P, 4, DAYS[4])
    yield f"pairing-{A}", mended.pairing_voided(A, Q, 3, role=PairRole.SUPPORTING)
    yield f"pairing-{A}", assigned(A, Q, DAYS[5])
    yield f"pairing-{B}", assigned(B, P, DAYS[5])
    yield f"pairing-{B}", ended(B, P, DAYS[6]).model_copy(update={"reason": EndReason.ENTERED_BY_MISTAKE})


def merges() -> Told:
    """Merged in a chain, found out late, parted again; the cohort is one's, the class another's."""
    yield f"household-{A}", registered(A, "40190101", cohort=None)
    yield f"household-{B}", registered(B, "40010101")
    yield f"household-{C}", registered(C, "40020101", DAYS[1], Cohort.BMN_2561)
    yield f"household-{B}", classified(B, HouseholdClass.WELFARE, DAYS[0])
    yield f"household-{A}", assessed(A, DAYS[0], health=True)
    yield f"household-{B}", assessed(B, DAYS[0], health=False)
    yield f"household-{A}", classified(A, HouseholdClass.DEVELOPABLE, DAYS[0])
    yield f"case-{B}", delivered(B, 1, Dimension.HEALTH, on=DAYS[2])
    yield f"pairing-{B}", assigned(B, P, DAYS[1])
    yield from _both(mended.merged(B, A, DAYS[3]), B, A)
    yield f"household-{B}", assessed(B, DAYS[4], living=True)
    yield from _both(mended.merged(A, C, DAYS[4]), A, C)
    yield f"case-{A}", delivered(A, 2, Dimension.LIVING, on=DAYS[5], level=Level.RESOLVED)
    yield from _both(mended.unmerged(B, A, DAYS[6]), B, A)
    yield f"household-{B}", mended.relocated(B, "40190202", DAYS[6])


def _both(ends: tuple[Event, Event], key: str, other: str) -> Told:
    yield f"household-{key}", ends[0]
    yield f"household-{other}", ends[1]


def exits() -> Told:
    """Lifted out, and back with a new need; gone, and back; corrected, voided, and of a household that was merged."""
    yield f"household-{A}", registered(A)
    yield f"household-{A}", assessed(A, DAYS[0], health=True, living=True)
    yield f"pairing-{A}", assigned(A, P, DAYS[0])
    yield f"case-{A}", delivered(A, 1, Dimension.HEALTH, on=DAYS[0])
    yield f"case-{A}", mended.exited(A, 1, DAYS[2])
    yield f"household-{A}", assessed(A, DAYS[3], health=False)
    yield f"household-{A}", assessed(A, DAYS[4], living=True)
    yield f"case-{A}", mended.exited(A, 2, DAYS[5], ExitReason.MOVED_AWAY)
    yield f"household-{A}", assessed(A, DAYS[5], health=True)
    yield f"household-{A}", assessed(A, DAYS[7], health=False)
    yield f"household-{B}", registered(B, "40010101")
    yield f"household-{B}", assessed(B, DAYS[0], welfare=True)
    yield f"case-{B}", mended.exited(B, 3, DAYS[1], ExitReason.DISSOLVED)
    yield f"case-{B}", mended.exit_corrected(B, 3, DAYS[2], ExitReason.LIFTED_OUT)
    yield f"case-{B}", mended.exited(B, 4, DAYS[3], ExitReason.DISSOLVED)
    yield f"case-{B}", mended.exit_voided(B, 4)
    yield from _both(mended.merged(B, A, DAYS[6]), B, A)


def exits_without_effect() -> Told:
    """Before the registration, until that is corrected; while the household is out, until the earlier is voided."""
    yield f"household-{A}", registered(A, on=DAYS[1])
    yield f"household-{A}", assessed(A, DAYS[1], health=True)
    yield f"case-{A}", mended.exited(A, 1, DAYS[0], ExitReason.MOVED_AWAY)
    yield f"household-{A}", mended.registration_corrected(A, "40190101", BEFORE)
    yield f"case-{A}", mended.exited(A, 2, DAYS[3], ExitReason.DISSOLVED)
    yield f"case-{A}", mended.exited(A, 3, DAYS[4])
    yield f"case-{A}", mended.exit_voided(A, 2)
    yield f"household-{B}", registered(B)
    yield f"household-{B}", assessed(B, DAYS[0], health=True)
    yield f"case-{B}", mended.exited(B, 4, DAYS[2])
    yield f"case-{B}", mended.exited(B, 5, DAYS[3], ExitReason.MOVED_AWAY)
    yield f"household-{B}", assessed(B, DAYS[3], living=True)


def mixed() -> Told:
    """Drawn, over three households that merge and part: what nobody thought of."""
    draw = random.Random(7)
    for key, village in (A, "40190101"), (B, "40190202"), (C, "40010101"):
        yield f"household-{key}", registered(key, village)
    for n in range(40):
        key, day, version = draw.choice([A, B, C]), draw.choice([BEFORE, *DAYS]), draw.randrange(1, 9)
        dimension, other = draw.choice([Dimension.HEALTH, Dimension.LIVING]), {A: B, B: C, C: A}[key]
        make = draw.choice([mended.merged, mended.unmerged])
        steps: list[tuple[str, Event]] = [
            ("household", classified(key, draw.choice(list(HouseholdClass)), day)),
            ("household", assessed(key, day, **{dimension.value: draw.random() < 0.8})),
            ("household", mended.relocated(key, draw.choice(["40190101", "40010101"]), day)),
            ("household", mended.entry_voided(key, 1 + version)),
            ("household", mended.assessment_corrected(key, version, day, **{dimension.value: True})),
            ("case", delivered(key, n, dimension, on=day, level=draw.choice(list(Level)))),
            ("case", mended.help_corrected(key, max(0, n - 5), dimension, on=day)),
            ("pairing", draw.choice([assigned, ended])(key, draw.choice([P, Q]), day)),
        ]
        kind, event = draw.choice(steps)
        if n % 8 == 5:
            yield from _both(make(key, other, day), key, other)
        else:
            yield f"{kind}-{key}", event


STORIES = {
    story.__name__: story
    for story in (needs, corrections, moves, recodings, pairs, merges, exits, exits_without_effect, mixed)
}
