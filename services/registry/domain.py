"""What the registry decides about one household: registering, moving, recoding, classing, assessing needs. Pure: no
clock, no store. Merging stands in `merging.py`, correcting and voiding in `corrections.py`.

Place, class and needs are dated facts. What was said of another day is always a new fact, even where it says the same:
a fact that arrives late for a day between them must not undo the later confirmation. The same said twice of the same
day adds nothing.
"""

from typing import NamedTuple, assert_never

from services.registry import corrections, merging
from services.registry.household import Household, findings_of, require_registered_by
from shared.entries import Author
from shared.errors import Rejected
from shared.events.base import HouseholdId
from shared.events.recoding import CorrectRecoding, HouseholdRecoded, RecodeHousehold
from shared.events.registry import (
    AssessNeeds,
    ClassifyHousehold,
    CorrectAssessment,
    CorrectClassification,
    CorrectHousehold,
    CorrectRelocation,
    HouseholdClassified,
    HouseholdRegistered,
    HouseholdRelocated,
    Member,
    MergeHousehold,
    NeedsAssessed,
    RegisterHousehold,
    RegistryCommand,
    RegistryEvent,
    RelocateHousehold,
    UnmergeHousehold,
    VoidHouseholdEntry,
)
from shared.standing import require_own


class Known(NamedTuple):
    """What was looked up or made before the decision."""

    household: HouseholdId
    author: Author
    members: tuple[Member, ...] = ()
    """As many as a registration names, in its order; personal details sealed."""
    address_sealed: str | None = None
    duplicate_of: HouseholdId | None = None
    """Another household that holds a person with the same citizen number."""
    other: Household | None = None
    """The second household of a merger or its undoing."""


def decide(state: Household, command: RegistryCommand, known: Known) -> list[RegistryEvent]:  # noqa: PLR0911 one line a case
    """The events that `command` makes true; none where it says what is so already. Raises Rejected."""
    match command:
        case RegisterHousehold():
            return _register(state, command, known)
        case ClassifyHousehold():
            return _classify(state, command)
        case AssessNeeds():
            return _assess(state, command)
        case RelocateHousehold():
            return _relocate(state, command, known)
        case RecodeHousehold():
            return _recode(state, command, known.author)
        case MergeHousehold() | UnmergeHousehold():
            return merging.decide(state, known.other, command)
        case VoidHouseholdEntry():
            return corrections.void(state, command, known.author)
        case (
            CorrectHousehold() | CorrectRelocation() | CorrectRecoding() | CorrectClassification() | CorrectAssessment()
        ):
            return corrections.correct(state, command, known.author)
        case _:
            assert_never(command)


def _register(state: Household, command: RegisterHousehold, known: Known) -> list[RegistryEvent]:
    event = HouseholdRegistered(
        occurred_on=command.occurred_on,
        household=known.household,
        village=command.village,
        cohort=command.cohort,
        members=known.members,
        address_sealed=known.address_sealed,
    )
    if state.registration is not None:
        require_own(state.standing)
        if _comparable(state.registration.event, command) == _comparable(event, command):
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
    # The class is the programme's own decision about a household on its list, so it cannot be older than the listing.
    require_registered_by(state, command.occurred_on)
    if state.classes.get(command.occurred_on) == command.household_class:
        return []
    return [HouseholdClassified(**command.stated())]


def _assess(state: Household, command: AssessNeeds) -> list[RegistryEvent]:
    require_own(state.standing)
    # May be older than the registration: the จปฐ. survey of 2561 that chose the households is.
    event = NeedsAssessed(**command.stated())
    return [] if findings_of(event).items() <= state.findings.items() else [event]


def _relocate(state: Household, command: RelocateHousehold, known: Known) -> list[RegistryEvent]:
    require_registered_by(state, command.occurred_on)
    told = state.relocations.get(command.occurred_on)
    # Sealing the same address twice gives other bytes, so of the address only its presence counts.
    if told and (told.village, told.address_sealed is None) == (command.village, known.address_sealed is None):
        return []
    return [
        HouseholdRelocated(
            occurred_on=command.occurred_on,
            household=command.household,
            village=command.village,
            address_sealed=known.address_sealed,
        )
    ]


def _recode(state: Household, command: RecodeHousehold, author: Author) -> list[RegistryEvent]:
    require_registered_by(state, command.occurred_on)
    if not author.secretariat:  # what a place is called is not for one agency to say
        raise Rejected("secretariat_only")
    village = state.village_on(command.occurred_on)
    if village == command.village:
        return []
    if village != command.was:
        raise Rejected("lived_elsewhere", field="data.was", day=command.occurred_on, village=village)
    return [HouseholdRecoded(**command.stated())]
