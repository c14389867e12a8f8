"""What an exit does to the measures of coverage, to caseloads and to the unpaired, and what brings a household back."""

from dataclasses import replace
from datetime import date
from itertools import permutations

import pytest

from services.projections import caseload, exits, households
from services.projections.exits import Exit
from shared.definitions import DEFINITIONS
from shared.events.base import Event
from shared.events.codes import Dimension, ExitReason, Level
from tests.support.log import assessed, assigned, delivered, helper, registered
from tests.support.mended import exit_corrected, exit_voided, exited
from tests.unit.test_coverage import BEFORE, KEY, LAST, LATER, START, card, on

NEED = assessed(KEY, START, health=True, living=True)
HELP = delivered(KEY, 1, Dimension.HEALTH, on=START)
LIFTED, MOVED, DISSOLVED = ExitReason
GONE = pytest.mark.parametrize("reason", [MOVED, DISSOLVED])


def test_who_was_lifted_out_stays_counted_and_is_on_nobodys_desk():
    events = NEED, HELP, exited(KEY, 1, LATER)
    assert on(START, *events) == {
        ("health", "need"),
        ("health", "reached"),
        ("living", "need"),
        ("living", "unreached"),
    }
    assert on(LATER, *events) == {
        ("health", "need"),
        ("health", "reached"),
        ("health", "resolved"),
        ("living", "need"),
        ("living", "resolved"),
    }


def test_who_was_lifted_out_needs_nothing_still(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(DEFINITIONS, "coverage-1", replace(DEFINITIONS["coverage-1"], in_need="still"))
    events = NEED, HELP, exited(KEY, 1, LATER), assessed(KEY, LAST, living=True)
    assert on(LATER, *events) == {("health", "resolved"), ("living", "resolved")}
    assert on(LAST, *events) == {
        ("health", "resolved"),
        ("living", "need"),
        ("living", "unreached"),
    }


@GONE
@pytest.mark.parametrize("definition", DEFINITIONS)
def test_who_is_gone_counts_in_nothing(reason: ExitReason, definition: str):
    help_ = delivered(KEY, 1, Dimension.EDUCATION, on=START, level=Level.CONTINUING)
    events = NEED, help_, exited(KEY, 1, LATER, reason)
    assert ("education", "outside_need") in on(START, *events, definition=definition)
    assert on(LATER, *events, definition=definition) == set()
    assert on(LATER, *events, delivered(KEY, 2, on=LAST), definition=definition) == set()


@GONE
def test_who_comes_back_counts_again_in_all_and_needs_what_is_assessed_now(reason: ExitReason):
    events = NEED, HELP, exited(KEY, 1, LATER, reason), assessed(KEY, LAST, health=True)
    assert on(LAST, *events) == {("health", "need"), ("health", "reached"), ("living", "need"), ("living", "resolved")}
    found_well = NEED, HELP, exited(KEY, 1, LATER, reason), assessed(KEY, LAST, education=False)
    assert on(LAST, *found_well) == {
        (dimension, measure)
        for dimension, measures in {"health": ("need", "reached", "resolved"), "living": ("need", "resolved")}.items()
        for measure in measures
    }


@pytest.mark.parametrize("reason", ExitReason)
def test_on_one_day_an_exit_comes_last_whatever_was_recorded_first(reason: ExitReason):
    same_day: list[Event] = [
        assessed(KEY, LATER, living=True),
        delivered(KEY, 2, Dimension.LIVING, on=LATER),
        exited(KEY, 1, LATER, reason),
    ]
    came_to = {frozenset(on(LATER, NEED, *order)) for order in permutations(same_day)}
    assert len(came_to) == 1
    assert not any(measure == "unreached" for _, measure in came_to.pop())


def test_an_exit_is_corrected_and_voided():
    gone = exited(KEY, 1, LATER, MOVED)
    assert on(LATER, NEED, gone, exit_corrected(KEY, 1, LAST, MOVED)) == on(LATER, NEED)
    assert on(LAST, NEED, gone, exit_corrected(KEY, 1, LAST, LIFTED)) == on(LAST, NEED, exited(KEY, 1, LAST))
    assert on(LAST, NEED, gone, exit_voided(KEY, 1)) == on(LAST, NEED)
    for unknown in exit_corrected(KEY, 2, BEFORE, MOVED), exit_voided(KEY, 2):
        assert on(LAST, NEED, gone, unknown) == set()
    assert on(LAST, NEED, gone, exit_voided(KEY, 1), exit_corrected(KEY, 1, LATER, MOVED)) == on(LAST, NEED)


@pytest.mark.parametrize(
    ("left", "found", "course"),
    [
        ([(START, LIFTED)], [(LATER, False)], [(START, LIFTED)]),
        ([(START, LIFTED)], [(LATER, False), (LATER, True)], [(START, LIFTED), (LATER, None)]),
        ([(START, MOVED)], [(LATER, False)], [(START, MOVED), (LATER, None)]),
        ([(START, DISSOLVED)], [(START, True), (BEFORE, True)], [(START, DISSOLVED)]),
        ([(LAST, LIFTED), (START, MOVED)], [(LATER, True)], [(START, MOVED), (LATER, None), (LAST, LIFTED)]),
        ([(START, MOVED), (LATER, LIFTED)], [(LAST, False)], [(START, MOVED), (LATER, LIFTED)]),
        ([(START, MOVED), (START, DISSOLVED)], [], [(START, DISSOLVED)]),
    ],
)
def test_from_which_day_a_household_is_out(
    left: list[tuple[date, ExitReason]],
    found: list[tuple[date, bool]],
    course: list[tuple[date, ExitReason | None]],
):
    told = [Exit(f"ex_{n:020}", *one) for n, one in enumerate(left)]
    assert exits.course(told, found) == course
    assert exits.course(told, found[::-1]) == course


def test_who_exited_is_nobodys_load_and_not_unpaired():
    paired = assigned(KEY, helper(1), START)
    home = card(registered(KEY, on=START), paired, NEED, exited(KEY, 1, LATER), assessed(KEY, LAST, health=True))
    place, held = ("40190101", "bmn-2561", ""), (helper(1), "lead", "4019")
    assert households.MODEL.rows(home) == {
        (START, *place, "paired"): 1,
        (LATER, *place, "paired"): -1,
        (LATER, *place, "lifted-out"): 1,
        (LAST, *place, "lifted-out"): -1,
        (LAST, *place, "paired"): 1,
    }
    assert caseload.MODEL.rows(home) == {(START, *held): 1, (LATER, *held): -1, (LAST, *held): 1}
