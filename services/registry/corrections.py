"""Correcting and voiding what was recorded of a household. Pure.

Rules, all ours: only who published an entry, or the secretariat, changes it; what is voided stays voided; the day of a
corrected entry keeps the rules of a new one; a household whose registration is voided never was, so nothing may stand
merged into it.
"""

from collections.abc import Sequence
from typing import assert_never

from services.registry.household import REGISTRATION, Dated, Household, require_registered_by
from shared.entries import Author, Entry, is_voided, to_change, to_correct
from shared.errors import Rejected
from shared.events.recoding import CorrectRecoding, HouseholdRecoded, RecodingCorrected
from shared.events.registry import (
    AssessmentCorrected,
    ClassificationCorrected,
    CorrectAssessment,
    CorrectClassification,
    CorrectHousehold,
    CorrectRelocation,
    HouseholdClassified,
    HouseholdCorrected,
    HouseholdEntryVoided,
    HouseholdRelocated,
    NeedsAssessed,
    RegistryEvent,
    RelocationCorrected,
    VoidHouseholdEntry,
)
from shared.standing import require_own

Correction = CorrectHousehold | CorrectRelocation | CorrectRecoding | CorrectClassification | CorrectAssessment


def correct(state: Household, command: Correction, author: Author) -> list[RegistryEvent]:
    """Nothing where the entry says so already. Raises Rejected."""
    require_own(state.standing)
    match command:
        case CorrectHousehold():
            return _correct_registration(state, command, author)
        case CorrectRelocation():
            moved = to_correct(state.entry(command.corrects, HouseholdRelocated), author, "data.corrects")
            return _correct_dated(state, moved, RelocationCorrected(**command.stated()))
        case CorrectRecoding():
            recoded = to_correct(state.entry(command.corrects, HouseholdRecoded), author, "data.corrects")
            return _correct_dated(state, recoded, RecodingCorrected(**command.stated()))
        case CorrectClassification():
            classed = to_correct(state.entry(command.corrects, HouseholdClassified), author, "data.corrects")
            return _correct_dated(state, classed, ClassificationCorrected(**command.stated()))
        case CorrectAssessment():
            assessed = to_correct(state.entry(command.corrects, NeedsAssessed), author, "data.corrects")
            return _unless_so(assessed, AssessmentCorrected(**command.stated()))
        case _:
            assert_never(command)


def void(state: Household, command: VoidHouseholdEntry, author: Author) -> list[RegistryEvent]:
    """Nothing where this very voiding is recorded. Raises Rejected."""
    entry = to_change(state.entries.get(command.voids), author, "data.voids")
    if is_voided(entry, command.occurred_on, command.reason, "data.voids"):
        return []
    require_own(state.standing)
    if command.voids == REGISTRATION and state.absorbed:
        raise Rejected("household_holds_merged", field="data.voids", household=min(state.absorbed))
    return [HouseholdEntryVoided(**command.stated())]


def _correct_registration(state: Household, command: CorrectHousehold, author: Author) -> list[RegistryEvent]:
    registration = to_correct(state.registration, author, "data.household")
    dependent: Sequence[HouseholdClassified | HouseholdRelocated | HouseholdRecoded] = [
        *state.holding(HouseholdClassified),
        *state.holding(HouseholdRelocated),
        *state.holding(HouseholdRecoded),
    ]
    first = min((event.occurred_on for event in dependent), default=command.occurred_on)
    if command.occurred_on > first:
        raise Rejected("after_what_follows", field="data.occurred_on", day=first)
    return _unless_so(registration, HouseholdCorrected(**command.stated()))


def _correct_dated(
    state: Household,
    entry: Entry[Dated],
    event: RelocationCorrected | RecodingCorrected | ClassificationCorrected,
) -> list[RegistryEvent]:
    require_registered_by(state, event.occurred_on)
    return _unless_so(entry, event)


def _unless_so(
    entry: Entry[Dated],
    event: HouseholdCorrected | RelocationCorrected | RecodingCorrected | ClassificationCorrected | AssessmentCorrected,
) -> list[RegistryEvent]:
    return [] if entry.corrected(event) == entry else [event]
