"""What an exit does to the measures of coverage, to caseloads and to the unpaired, and what brings a household back."""

from dataclasses import replace
from datetime import date, timedelta
from itertools import permutations

import pytest
from msgspec import structs

from services.projections import caseload, coverage, exits, households
from services.projections.card import Link
from services.projections.exits import Exit
from services.projections.merges import counting
from shared.definitions import DEFINITIONS
from shared.events.base import Event
from shared.events.codes import Dimension, ExitReason, Level
from tests.support.log import assessed, assigned, delivered, helper, household, registered
from tests.support.mended import exit_corrected, exit_voided, exited, registration_corrected
from tests.unit.test_coverage import BEFORE, KEY, LAST, LATER, START, card, on

OTHER = household(2)
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


@GONE
@pytest.mark.parametrize("definition", DEFINITIONS)
def test_an_exit_of_who_is_gone_changes_no_figure(reason: ExitReason, definition: str):
    gone, later = (NEED, HELP, exited(KEY, 1, LATER, reason)), exited(KEY, 2, LAST)
    assert on(LAST, *gone, later, definition=definition) == set()
    assert on(LAST, *gone[:2], later, gone[2], definition=definition) == set()
    seen = exited(KEY, 2, LAST, LIFTED), assessed(KEY, LAST, health=True)
    assert ("health", "resolved") in on(LAST, *gone, *seen, definition="coverage-1"), "found that day, then lifted out"


@pytest.mark.parametrize("reason", ExitReason)
def test_an_exit_before_the_registration_changes_nothing(reason: ExitReason):
    """In whichever order the two are recorded, and the day of registration corrected."""
    came, early = registered(KEY, on=START), exited(KEY, 1, BEFORE, reason)
    corrected = registration_corrected(KEY, on=BEFORE)
    for told in permutations((came, early)):
        at_first, mended = card(*told, HELP), card(*told, HELP, corrected)
        for model in coverage.MODEL, households.MODEL, caseload.MODEL:
            assert model.rows(at_first) == model.rows(card(came, HELP))
        assert not at_first.exited
        assert mended.exited == [(BEFORE, reason)]


def test_in_a_merged_household_the_day_is_that_of_the_one_that_remains():
    remains, alone = card(registered(KEY, on=START)), card(registered(KEY, on=BEFORE), exited(KEY, 1, BEFORE))
    assert alone.exited
    links = (Link(OTHER, "absorbed", 1),), (Link(KEY, "merged", 1),)
    one, other = (structs.replace(made, links=of) for made, of in zip((remains, alone), links, strict=True))
    assert not counting({KEY: one, OTHER: other})[KEY].exited


@pytest.mark.parametrize(
    ("left", "found", "course"),
    [
        ([(START, LIFTED)], [(LATER, False)], [(START, LIFTED)]),
        ([(START, LIFTED)], [(LATER, False), (LATER, True)], [(START, LIFTED), (LATER, None)]),
        ([(START, MOVED)], [(LATER, False)], [(START, MOVED), (LATER, None)]),
        ([(START, DISSOLVED)], [(START, True), (BEFORE, True)], [(START, DISSOLVED)]),
        ([(LAST, LIFTED), (START, MOVED)], [(LATER, True)], [(START, MOVED), (LATER, None), (LAST, LIFTED)]),
        ([(START, MOVED), (LATER, LIFTED)], [(LAST, False)], [(START, MOVED), (LAST, None)]),
        ([(START, LIFTED), (LATER, MOVED)], [(LAST, False)], [(START, LIFTED)]),
        ([(START, MOVED), (LATER, LIFTED)], [(LATER, False)], [(START, MOVED), (LATER, LIFTED)]),
        ([(START, LIFTED), (LATER, MOVED)], [(LATER, False)], [(START, LIFTED)]),
        ([(START, MOVED), (LATER, MOVED)], [(LATER, True)], [(START, MOVED), (LATER, MOVED)]),
        ([(START, MOVED), (START, DISSOLVED)], [], [(START, DISSOLVED)]),
        ([(BEFORE, MOVED)], [], [(BEFORE, MOVED)]),
        ([(BEFORE - timedelta(1), MOVED), (START, LIFTED)], [], [(START, LIFTED)]),
    ],
)
def test_from_which_day_a_household_is_out(
    left: list[tuple[date, ExitReason]],
    found: list[tuple[date, bool]],
    course: list[tuple[date, ExitReason | None]],
):
    """Registered on the day that is called BEFORE here."""
    told = [Exit(f"ex_{n:020}", *one) for n, one in enumerate(left)]
    assert exits.course(told, found, BEFORE) == course
    assert exits.course(told, found[::-1], BEFORE) == course


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
