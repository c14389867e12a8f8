"""What counts as need, reached, resolved, unreached and outside need, on which day and in which cell."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from services.projections import coverage
from services.projections.card import Household
from services.projections.decode import KIND_OF_TYPE, read
from services.projections.evolve import evolve
from services.projections.facts import Arrived
from services.projections.steps import Row
from shared.definitions import DEFINITIONS
from shared.events.base import Event
from shared.events.codes import Cohort, Dimension, HouseholdClass, Level, VoidReason
from shared.events.interventions import InterventionVoided
from shared.events.recoding import HouseholdRecoded
from tests.support.log import Log, assessed, classified, delivered, household, registered

KEY = household(1)
BEFORE, START, LATER, LAST = date(2019, 9, 19), date(2019, 9, 20), date(2019, 10, 5), date(2019, 11, 1)


def card(*events: Event) -> Household:
    made, log = Household(), Log()
    for event in events:
        arrived = read(log.add(f"{KIND_OF_TYPE[event.type]}-{KEY}", event))
        assert isinstance(arrived, Arrived), arrived
        made = evolve(made, arrived.fact)
    return made


def rows(made: Household) -> Mapping[Row, int]:
    return coverage.MODEL.unpacked(coverage.MODEL.rows(made))


def on(day: date, *events: Event, definition: str = "coverage-1") -> set[tuple[str, str]]:
    """(dimension, measure) that hold on a day."""
    held: Counter[tuple[str, str]] = Counter()
    for (valid_on, *cell), n in rows(card(registered(KEY, on=BEFORE), *events)).items():
        if valid_on <= day and cell[0] == definition:
            held[cell[-2], cell[-1]] += n
    assert set(held.values()) <= {0, 1}
    return {cell for cell, n in held.items() if n}


def test_a_need_is_unreached_until_help_comes():
    events = assessed(KEY, START, health=True), delivered(KEY, 1, Dimension.HEALTH, on=LATER)
    assert on(START, *events) == {("health", "need"), ("health", "unreached")}
    assert on(LATER, *events) == {("health", "need"), ("health", "reached")}


def test_help_before_the_need_was_assessed_counts_from_the_assessment_on():
    events = assessed(KEY, LATER, health=True), delivered(KEY, 1, Dimension.HEALTH, on=START)
    assert on(START, *events) == {("health", "outside_need")}
    assert on(LATER, *events) == {("health", "need"), ("health", "reached")}


def test_help_without_a_need_stands_beside():
    assert on(LAST, delivered(KEY, 1, Dimension.HEALTH, on=START)) == {("health", "outside_need")}


def test_help_before_the_programme_reaches_nobody():
    events = assessed(KEY, BEFORE, health=True), delivered(KEY, 1, Dimension.HEALTH, on=BEFORE)
    assert on(LAST, *events) == {("health", "need"), ("health", "unreached"), ("health", "outside_need")}


@pytest.mark.parametrize(
    "over",
    [
        [delivered(KEY, 1, Dimension.HEALTH, on=LATER, level=Level.RESOLVED)],
        [delivered(KEY, 1, Dimension.HEALTH, on=START), assessed(KEY, LATER, health=False)],
    ],
)
def test_a_need_that_is_over_stays_in_the_denominator(over: list[Event]):
    assert on(LAST, assessed(KEY, START, health=True), *over) == {
        ("health", "need"),
        ("health", "reached"),
        ("health", "resolved"),
    }


def test_a_new_need_after_a_resolved_one_is_open_again():
    events = (
        assessed(KEY, START, health=True),
        delivered(KEY, 1, Dimension.HEALTH, on=LATER, level=Level.RESOLVED),
        assessed(KEY, LAST, health=True),
    )
    assert on(LAST, *events) == {("health", "need"), ("health", "reached")}


def test_a_need_that_went_away_by_itself_is_on_nobodys_desk():
    events = assessed(KEY, START, health=True), assessed(KEY, LATER, health=False)
    assert on(LAST, *events) == {("health", "need"), ("health", "resolved")}


def test_the_class_is_the_one_valid_on_the_day():
    events = (
        registered(KEY, on=BEFORE),
        assessed(KEY, START, health=True),
        classified(KEY, HouseholdClass.WELFARE, LATER),
    )
    made = rows(card(*events))
    need = {(row[0], row[4]): n for row, n in made.items() if (row[1], row[-1]) == ("coverage-1", "need")}
    assert need == {(START, ""): 1, (LATER, ""): -1, (LATER, "welfare"): 1}


def test_what_alone_was_told_of_a_dimension_goes_with_it():
    events = [registered(KEY, on=BEFORE), delivered(KEY, 1, Dimension.HEALTH, on=START)]
    void = InterventionVoided(
        occurred_on=LATER,
        household=KEY,
        intervention=events[1].intervention,
        reason=VoidReason.WRONG_HOUSEHOLD,
    )
    before, after = card(*events), card(*events, void)
    assert coverage.MODEL.rows(before)
    assert coverage.MODEL.rows(after) == {}
    gone = coverage.MODEL.change(before, after)
    assert gone == {row: -n for row, n in coverage.MODEL.rows(before).items()}


def test_a_stream_that_begins_with_a_recoding_is_counted_too():
    """The registry writes none; whoever else may, stops no worker."""
    recoded = HouseholdRecoded(occurred_on=LATER, household=KEY, was="40190101", village="40190121")
    events = recoded, assessed(KEY, START, health=True)
    assert {row[2] for row in rows(card(*events))} == {"40190121"}


def test_nobody_is_counted_before_somebody_registered_the_household():
    assert rows(card(delivered(KEY, 1))) == {}


def test_the_second_definition_wants_more_than_initial_help():
    need, first = assessed(KEY, START, health=True), delivered(KEY, 1, Dimension.HEALTH, on=START)
    more = delivered(KEY, 2, Dimension.HEALTH, on=LATER, level=Level.CONTINUING)
    assert on(START, need, first, more) == {("health", "need"), ("health", "reached")}
    assert on(START, need, first, more, definition="coverage-2") == {("health", "need"), ("health", "unreached")}
    assert on(LATER, need, first, more, definition="coverage-2") == {("health", "need"), ("health", "reached")}


def test_a_definition_may_count_who_is_still_in_need(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(DEFINITIONS, "coverage-1", replace(DEFINITIONS["coverage-1"], in_need="still"))
    over = delivered(KEY, 1, Dimension.HEALTH, on=LATER, level=Level.RESOLVED)
    events = assessed(KEY, START, health=True, living=True), over, delivered(KEY, 2, Dimension.LIVING, on=LATER)
    assert on(START, *events) == {
        ("health", "need"),
        ("health", "unreached"),
        ("living", "need"),
        ("living", "unreached"),
    }
    assert on(LATER, *events) == {("health", "resolved"), ("living", "need"), ("living", "reached")}


@pytest.mark.parametrize(
    ("rules", "counted"),
    [
        ({"cohorts": frozenset({Cohort.BMN_2561})}, {START, LATER}),
        ({"cohorts": frozenset()}, set()),
        ({"classes": frozenset({HouseholdClass.WELFARE})}, {LATER}),
        ({"classes": frozenset({HouseholdClass.DEVELOPABLE})}, set()),
    ],
)
def test_a_definition_may_count_some_households_alone(
    monkeypatch: pytest.MonkeyPatch, rules: dict[str, Any], counted: set[date]
):
    monkeypatch.setitem(DEFINITIONS, "coverage-1", replace(DEFINITIONS["coverage-1"], **rules))
    events = assessed(KEY, START, health=True), classified(KEY, HouseholdClass.WELFARE, LATER)
    need = {day for day in (START, LATER) if ("health", "need") in on(day, *events)}
    assert need == counted
