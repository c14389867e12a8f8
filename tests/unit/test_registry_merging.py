"""Given two households, when they turn out to be one, or two after all, then both streams say so."""

from collections.abc import Sequence
from datetime import date, timedelta

import pytest

from services.registry.domain import Known, decide
from services.registry.household import START, Household, evolve
from shared.entries import Author
from shared.errors import Rejected
from shared.events.codes import HouseholdClass, VoidReason
from shared.events.registry import (
    ClassifyHousehold,
    HouseholdAbsorbed,
    HouseholdClassified,
    HouseholdMerged,
    HouseholdRegistered,
    HouseholdReleased,
    HouseholdUnmerged,
    MergeHousehold,
    RegistryCommand,
    RegistryEvent,
    UnmergeHousehold,
    VoidHouseholdEntry,
)

A, B, C, NOBODY = ("hh_" + letter * 20 for letter in "abcn")
DAY, FOUND = date(2019, 9, 20), date(2020, 2, 3)
ME = Author("cdd")


class Registry:
    """Three registered households and what is decided of them."""

    def __init__(self) -> None:
        self.states: dict[str, Household] = {}
        for one in (A, B, C):
            self._take([HouseholdRegistered(occurred_on=DAY, household=one, village="40190101", members=())])

    def take(self, *commands: RegistryCommand) -> list[RegistryEvent]:
        """The events of the last one."""
        events: list[RegistryEvent] = []
        for command in commands:
            household, other = command.household or "", command.household or ""
            if isinstance(command, MergeHousehold | UnmergeHousehold):
                other = command.into if isinstance(command, MergeHousehold) else command.out_of
            known = Known(household, ME, other=self.states.get(other, START))
            events = decide(self.states.get(household, START), command, known)
            self._take(events)
        return events

    def _take(self, events: Sequence[RegistryEvent]) -> None:
        for event in events:
            self.states[event.household] = evolve(self.states.get(event.household, START), event, ME.agency)

    def refusal(self, *commands: RegistryCommand) -> tuple[str, str | None, object]:
        with pytest.raises(Rejected) as no:
            self.take(*commands)
        return no.value.code, no.value.field, no.value.facts.get("household")


@pytest.fixture
def registry() -> Registry:
    return Registry()


def merge(one: str, into: str, on: date = FOUND) -> MergeHousehold:
    return MergeHousehold(occurred_on=on, household=one, into=into)


def unmerge(one: str, out_of: str, on: date = FOUND) -> UnmergeHousehold:
    return UnmergeHousehold(occurred_on=on, household=one, out_of=out_of)


def void(one: str) -> VoidHouseholdEntry:
    return VoidHouseholdEntry(occurred_on=FOUND, household=one, voids=1, reason=VoidReason.NEVER_HAPPENED)


def classify(one: str) -> ClassifyHousehold:
    return ClassifyHousehold(occurred_on=FOUND, household=one, household_class=HouseholdClass.WELFARE)


def test_a_merger_is_an_event_in_each_stream_once(registry: Registry) -> None:
    assert registry.take(merge(A, B)) == [
        HouseholdMerged(occurred_on=FOUND, household=A, into=B),
        HouseholdAbsorbed(occurred_on=FOUND, household=B, absorbed=A),
    ]
    assert registry.take(merge(A, B)) == []


def test_the_one_that_remains_takes_commands_and_the_other_does_not(registry: Registry) -> None:
    assert registry.take(merge(A, B), classify(B)) == [HouseholdClassified(**dict(classify(B)))]
    assert registry.refusal(classify(A)) == ("household_merged", "data.household", B)


@pytest.mark.parametrize(
    ("before", "command", "expected"),
    [
        pytest.param([], merge(A, A), ("merges_into_itself", "data.into", None), id="itself"),
        pytest.param([], merge(A, NOBODY), ("household_unknown", "data.into", None), id="into an unknown one"),
        pytest.param([], merge(NOBODY, A), ("household_unknown", "data.household", None), id="an unknown one"),
        pytest.param([merge(B, C)], merge(A, B), ("household_merged", "data.into", C), id="into a merged one"),
        pytest.param([merge(B, A)], merge(A, B), ("household_merged", "data.into", A), id="into each other"),
        pytest.param([merge(A, B)], merge(A, C), ("household_merged", "data.household", B), id="twice"),
        pytest.param(
            [merge(A, B)],
            merge(A, B, FOUND + timedelta(days=1)),
            ("household_merged", "data.household", B),
            id="twice on two days",
        ),
        pytest.param([void(B)], merge(A, B), ("household_voided", "data.into", None), id="into one that never was"),
        pytest.param([void(A)], merge(A, B), ("household_voided", "data.household", None), id="one that never was"),
    ],
)
def test_what_is_not_merged(
    registry: Registry,
    before: list[RegistryCommand],
    command: RegistryCommand,
    expected: tuple[str, str | None, object],
) -> None:
    registry.take(*before)
    assert registry.refusal(command) == expected


def test_a_household_into_which_another_was_merged_can_itself_be_merged(registry: Registry) -> None:
    assert len(registry.take(merge(A, B), merge(B, C))) == 2
    assert registry.refusal(classify(A))[2] == B
    assert registry.refusal(classify(B))[2] == C


def test_undoing_a_merger_restores_both(registry: Registry) -> None:
    assert registry.take(merge(A, B), unmerge(A, B)) == [
        HouseholdUnmerged(occurred_on=FOUND, household=A, out_of=B),
        HouseholdReleased(occurred_on=FOUND, household=B, released=A),
    ]
    assert registry.take(unmerge(A, B)) == []
    assert len(registry.take(classify(A))) == 1
    assert len(registry.take(void(B))) == 1, "nothing is merged into it any more"


def test_and_they_can_be_merged_again_the_other_way_round(registry: Registry) -> None:
    assert len(registry.take(merge(A, B), unmerge(A, B), merge(B, A))) == 2


def test_also_when_the_one_that_remained_was_merged_since(registry: Registry) -> None:
    assert len(registry.take(merge(A, B), merge(B, C), unmerge(A, B), classify(A))) == 1
    assert registry.refusal(classify(B))[2] == C


@pytest.mark.parametrize(
    ("before", "command"),
    [
        pytest.param([], unmerge(A, B), id="never merged"),
        pytest.param([merge(A, B)], unmerge(A, C), id="out of another"),
        pytest.param([merge(A, B)], unmerge(B, A), id="the wrong way round"),
        pytest.param([], unmerge(NOBODY, A), id="an unknown one"),
    ],
)
def test_what_is_not_merged_is_not_undone(
    registry: Registry, before: list[RegistryCommand], command: RegistryCommand
) -> None:
    registry.take(*before)
    assert registry.refusal(command)[:2] == ("household_not_merged", "data.out_of")


def test_a_merger_is_not_undone_before_it_was_made(registry: Registry) -> None:
    registry.take(merge(A, B))
    early = unmerge(A, B, FOUND - timedelta(days=1))
    assert registry.refusal(early)[:2] == ("unmerged_before_merged", "data.occurred_on")
    assert len(registry.take(unmerge(A, B, FOUND))) == 2
