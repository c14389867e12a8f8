"""One household as its stream tells of it. Pure."""

from collections.abc import Iterator, Mapping
from datetime import date
from typing import NamedTuple, TypeVar, assert_never

from shared.entries import Entry
from shared.errors import Rejected
from shared.events.base import Event, HouseholdId, Slug, Version, VillageCode
from shared.events.codes import Dimension, HouseholdClass, Source
from shared.events.recoding import HouseholdRecoded, RecodingCorrected
from shared.events.registry import (
    AssessmentCorrected,
    ClassificationCorrected,
    HouseholdAbsorbed,
    HouseholdClassified,
    HouseholdCorrected,
    HouseholdEntryVoided,
    HouseholdMerged,
    HouseholdRegistered,
    HouseholdReleased,
    HouseholdRelocated,
    HouseholdUnmerged,
    NeedsAssessed,
    RegistryEvent,
    RelocationCorrected,
)
from shared.homes import Home, village_on
from shared.standing import Standing, require_own

Dated = HouseholdRegistered | HouseholdRelocated | HouseholdRecoded | HouseholdClassified | NeedsAssessed
"""What can be corrected and voided."""
Finding = tuple[bool, Source, Slug]
"""In need or not, by which source, asked by which office."""
REGISTRATION: Version = 1

D = TypeVar("D", bound=Event)


class Household(NamedTuple):
    version: int
    entries: Mapping[Version, Entry[Dated]]
    """In order of version, voided ones too; a corrected one keeps its place."""
    link: HouseholdMerged | HouseholdUnmerged | None = None
    """The later of the two."""
    absorbed: frozenset[HouseholdId] = frozenset()

    def entry(self, version: Version, kind: type[D]) -> Entry[D] | None:
        """The entry at `version`, if it is of that kind."""
        found = self.entries.get(version)
        return found if found and isinstance(found.event, kind) else None  # type: ignore[return-value]

    @property
    def registration(self) -> Entry[HouseholdRegistered] | None:
        return self.entry(REGISTRATION, HouseholdRegistered)

    @property
    def standing(self) -> Standing | None:
        """None: nobody registered it."""
        registration = self.registration
        if registration is None:
            return None
        into = self.link.into if isinstance(self.link, HouseholdMerged) else None
        return Standing(not registration.holds, into)

    def holding(self, kind: type[D]) -> Iterator[D]:
        """What is said by the entries of a kind that were not voided, in order of version."""
        return (entry.event for entry in self.entries.values() if entry.holds and isinstance(entry.event, kind))

    @property
    def classes(self) -> Mapping[date, HouseholdClass]:
        """By day, what was said last about it."""
        return {event.occurred_on: event.household_class for event in self.holding(HouseholdClassified)}

    @property
    def findings(self) -> Mapping[tuple[Dimension, date], Finding]:
        """By dimension and day, what was said last about them."""
        return {at: finding for event in self.holding(NeedsAssessed) for at, finding in findings_of(event).items()}

    @property
    def relocations(self) -> Mapping[date, HouseholdRelocated]:
        """By day, the one that was told last."""
        return {event.occurred_on: event for event in self.holding(HouseholdRelocated)}

    def village_on(self, day: date) -> VillageCode:
        """Where a registered household lived that day."""
        dated = (entry.event for entry in self.entries.values() if entry.holds)
        return village_on([home for event in dated if (home := _home(event))], day)


def _home(event: Dated) -> Home | None:
    match event:
        case HouseholdRegistered() | HouseholdRelocated():
            return event.occurred_on, event.village, None
        case HouseholdRecoded():
            return event.occurred_on, event.village, event.was
        case _:
            return None


START = Household(0, {})


def require_registered_by(state: Household, day: date) -> None:
    """Raises Rejected before_registration, or why the household takes no commands."""
    require_own(state.standing)
    registration = state.registration
    if registration and day < registration.event.occurred_on:
        raise Rejected("before_registration", field="data.occurred_on", day=registration.event.occurred_on)


def findings_of(event: NeedsAssessed) -> dict[tuple[Dimension, date], Finding]:
    return {
        (need.dimension, event.occurred_on): (need.in_need, event.source, event.interviewer) for need in event.needs
    }


def evolve(before: Household, event: RegistryEvent, agency: Slug) -> Household:  # noqa: C901, PLR0911 one line a case
    """The state after one more event of the stream, which `agency` published."""
    version = before.version + 1
    if isinstance(event, Dated):  # most events are: one copy, not two
        return before._replace(version=version, entries={**before.entries, version: Entry(event, agency)})
    state = before._replace(version=version)
    match event:
        case HouseholdCorrected():
            return _corrected(state, REGISTRATION, HouseholdRegistered, event)
        case RelocationCorrected():
            return _corrected(state, event.corrects, HouseholdRelocated, event)
        case RecodingCorrected():
            return _corrected(state, event.corrects, HouseholdRecoded, event)
        case ClassificationCorrected():
            return _corrected(state, event.corrects, HouseholdClassified, event)
        case AssessmentCorrected():
            return _corrected(state, event.corrects, NeedsAssessed, event)
        case HouseholdEntryVoided():
            return _voided(state, event)
        case HouseholdMerged() | HouseholdUnmerged():
            return state._replace(link=event)
        case HouseholdAbsorbed():
            return state._replace(absorbed=state.absorbed | {event.absorbed})
        case HouseholdReleased():
            return state._replace(absorbed=state.absorbed - {event.released})
        case _:
            assert_never(event)


def _corrected(state: Household, version: Version, kind: type[Dated], event: Event) -> Household:
    if (entry := state.entry(version, kind)) is None:
        return state
    return state._replace(entries={**state.entries, version: entry.corrected(event)})


def _voided(state: Household, event: HouseholdEntryVoided) -> Household:
    if (entry := state.entries.get(event.voids)) is None:
        return state
    return state._replace(entries={**state.entries, event.voids: entry.voided_by(event)})
