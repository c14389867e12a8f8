"""What the registry decides about one household: registering, classing, assessing needs. Pure: no clock, no store.

Class and needs are dated facts. What was said of another day is always a new fact, even where it says the same: a
fact that arrives late for a day between them must not undo the later confirmation. The same said twice of the same
day adds nothing.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from typing import assert_never

from shared.errors import Rejected
from shared.events.base import HouseholdId, Slug
from shared.events.codes import Dimension, HouseholdClass, Source
from shared.events.registry import (
    AssessNeeds,
    ClassifyHousehold,
    HouseholdClassified,
    HouseholdRegistered,
    Member,
    NeedsAssessed,
    RegisterHousehold,
    RegistryCommand,
    RegistryEvent,
)

Finding = tuple[bool, Source, Slug]
"""In need or not, by which source, asked by which office."""


@dataclass(frozen=True)
class Household:
    """One household, folded from its stream. Each dated fact holds what was said last about that day."""

    registered: HouseholdRegistered | None = None
    classes: Mapping[date, HouseholdClass] = field(default_factory=dict)
    findings: Mapping[tuple[Dimension, date], Finding] = field(default_factory=dict)


START = Household()


@dataclass(frozen=True)
class Known:
    """What was looked up or made before the decision. Everything but the household matters to registering alone."""

    household: HouseholdId
    members: tuple[Member, ...] = ()
    """As many as the command names, in its order; personal details sealed."""
    address_sealed: str | None = None
    duplicate_of: HouseholdId | None = None
    """Another household that holds a person with the same citizen number."""


def decide(state: Household, command: RegistryCommand, known: Known) -> list[RegistryEvent]:
    """The events that `command` makes true; none where it says what is so already. Raises Rejected."""
    match command:
        case RegisterHousehold():
            return _register(state, command, known)
        case ClassifyHousehold():
            return _classify(state, command)
        case AssessNeeds():
            return _assess(state, command)
        case _:
            assert_never(command)


def evolve(state: Household, event: RegistryEvent) -> Household:
    match event:
        case HouseholdRegistered():
            return replace(state, registered=event)
        case HouseholdClassified():
            return replace(state, classes={**state.classes, event.occurred_on: event.household_class})
        case NeedsAssessed():
            return replace(state, findings={**state.findings, **_findings(event)})
        case _:
            assert_never(event)


def _register(state: Household, command: RegisterHousehold, known: Known) -> list[RegistryEvent]:
    event = HouseholdRegistered(
        occurred_on=command.occurred_on,
        household=known.household,
        village=command.village,
        cohort=command.cohort,
        members=known.members,
        address_sealed=known.address_sealed,
    )
    if state.registered is not None:
        if _comparable(state.registered, command) == _comparable(event, command):
            return []
        raise Rejected("household_registered_otherwise", field="data.household")
    if len({member.person for member in known.members}) < len(known.members):
        raise Rejected("person_named_twice", field="data.members")
    if known.duplicate_of is not None:
        raise Rejected("household_duplicate", field="data.members", household=known.duplicate_of)
    return [event]


def _comparable(event: HouseholdRegistered, command: RegisterHousehold) -> tuple[object, ...]:
    """What two registrations must share to be the same. Sealing the same twice gives other bytes and an id that the
    agency left out is made anew, so of a sealed part only its presence counts, of a person only an id that was given.
    """
    given = [entry.person is not None for entry in command.members]
    members = [
        (member.person if is_given else None, member.relation, member.citizen_id_check, member.sealed is None)
        for member, is_given in zip(event.members, given, strict=False)
    ]
    return event.occurred_on, event.village, event.cohort, event.address_sealed is None, len(event.members), members


def _classify(state: Household, command: ClassifyHousehold) -> list[RegistryEvent]:
    registered = _registered(state)
    # The class is the programme's own decision about a household on its list, so it cannot be older than the listing.
    if command.occurred_on < registered.occurred_on:
        raise Rejected("before_registration", field="data.occurred_on", day=registered.occurred_on.isoformat())
    if state.classes.get(command.occurred_on) == command.household_class:
        return []
    return [HouseholdClassified(**dict(command))]


def _assess(state: Household, command: AssessNeeds) -> list[RegistryEvent]:
    _registered(state)
    # May be older than the registration: the จปฐ. survey of 2561 that chose the households is.
    event = NeedsAssessed(**dict(command))
    return [] if _findings(event).items() <= state.findings.items() else [event]


def _registered(state: Household) -> HouseholdRegistered:
    if state.registered is None:
        raise Rejected("household_unknown", field="data.household")
    return state.registered


def _findings(event: NeedsAssessed) -> dict[tuple[Dimension, date], Finding]:
    return {
        (need.dimension, event.occurred_on): (need.in_need, event.source, event.interviewer) for need in event.needs
    }
