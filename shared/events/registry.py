"""What the registry says about households, and what it can be asked to record.

A correction states anew, and whole, what the event `corrects` should have said, its day (`occurred_on`) included. A
voiding event says that the event it `voids` never was so; its own day is the one on which that was found out. Both
name the version of the first event, however often it was corrected; of several corrections the last holds.
"""

from typing import Annotated, ClassVar

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

from shared.events.base import (
    Command,
    Day,
    Event,
    HouseholdId,
    Message,
    Personal,
    PersonId,
    Slug,
    Version,
    VillageCode,
)
from shared.events.codes import Cohort, DigitCheck, Dimension, HouseholdClass, Relation, Source, VoidReason
from shared.events.recoding import CorrectRecoding, HouseholdRecoded, RecodeHousehold, RecodingCorrected

# -- commands ----------------------------------------------------------------------------------------------------


class MemberEntry(Message):
    """A member of a household as an agency types it in. Everything but the relation is sealed."""

    person: PersonId | None = None
    """Given by the agency, or made by the registry."""
    relation: Relation
    name: Personal | None = None
    citizen_id: Personal | None = None
    phone: Personal | None = None
    birth_on: Day | None = None


class RegisterHousehold(Command):
    type: ClassVar[str] = "RegisterHousehold.v1"
    household: HouseholdId | None = None
    """Given by the agency (random, never derived from a person), or made by the registry."""
    village: VillageCode
    house_number: Personal | None = None
    cohort: Cohort | None = None
    members: Annotated[tuple[MemberEntry, ...], Field(min_length=1, max_length=30)]


class ClassifyHousehold(Command):
    type: ClassVar[str] = "ClassifyHousehold.v1"
    household: HouseholdId
    household_class: HouseholdClass


class Need(Message):
    dimension: Dimension
    in_need: bool


def _each_once(needs: tuple[Need, ...]) -> tuple[Need, ...]:
    if len({need.dimension for need in needs}) != len(needs):
        raise PydanticCustomError("named_twice", "a dimension is named twice")
    return needs


Needs = Annotated[tuple[Need, ...], Field(min_length=1, max_length=len(Dimension)), AfterValidator(_each_once)]
"""At most one line a dimension; a dimension that is left out stays as it was."""


class AssessNeeds(Command):
    type: ClassVar[str] = "AssessNeeds.v1"
    household: HouseholdId
    needs: Needs
    source: Source
    interviewer: Slug
    """The office that asked, not a person."""


class RelocateHousehold(Command):
    """The household lives in another village from `occurred_on` on."""

    type: ClassVar[str] = "RelocateHousehold.v1"
    household: HouseholdId
    village: VillageCode
    house_number: Personal | None = None


class MergeHousehold(Command):
    """`household` turned out to be the household `into`, entered twice."""

    type: ClassVar[str] = "MergeHousehold.v1"
    household: HouseholdId
    into: HouseholdId


class UnmergeHousehold(Command):
    """`household` and `out_of`, into which it was merged, are two households after all."""

    type: ClassVar[str] = "UnmergeHousehold.v1"
    household: HouseholdId
    out_of: HouseholdId


class CorrectHousehold(Command):
    """Corrects the registration: its day, village and cohort."""

    type: ClassVar[str] = "CorrectHousehold.v1"
    household: HouseholdId
    village: VillageCode
    cohort: Cohort | None = None


class CorrectRelocation(Command):
    type: ClassVar[str] = "CorrectRelocation.v1"
    household: HouseholdId
    corrects: Version
    village: VillageCode


class CorrectClassification(Command):
    type: ClassVar[str] = "CorrectClassification.v1"
    household: HouseholdId
    corrects: Version
    household_class: HouseholdClass


class CorrectAssessment(Command):
    type: ClassVar[str] = "CorrectAssessment.v1"
    household: HouseholdId
    corrects: Version
    needs: Needs
    source: Source
    interviewer: Slug


class VoidHouseholdEntry(Command):
    """Voids a registration, a relocation, a recoding, a classification or an assessment of needs."""

    type: ClassVar[str] = "VoidHouseholdEntry.v1"
    household: HouseholdId
    voids: Version
    reason: VoidReason


# -- events ------------------------------------------------------------------------------------------------------


class Member(Message):
    """A member as the log knows one: a random id, the relation, and a sealed rest."""

    person: PersonId
    relation: Relation
    citizen_id_check: DigitCheck
    sealed: str | None = None
    """AES-256-GCM under the person's key, base64; see `shared.eventstore.sealing`."""


class HouseholdRegistered(Event):
    type: ClassVar[str] = "HouseholdRegistered.v1"
    household: HouseholdId
    village: VillageCode
    cohort: Cohort | None = None
    members: tuple[Member, ...]
    address_sealed: str | None = None
    """The house number under the household's key."""


class HouseholdClassified(Event):
    type: ClassVar[str] = "HouseholdClassified.v1"
    household: HouseholdId
    household_class: HouseholdClass


class NeedsAssessed(Event):
    type: ClassVar[str] = "NeedsAssessed.v1"
    household: HouseholdId
    needs: Needs
    source: Source
    interviewer: Slug


class HouseholdRelocated(Event):
    type: ClassVar[str] = "HouseholdRelocated.v1"
    household: HouseholdId
    village: VillageCode
    address_sealed: str | None = None


class HouseholdMerged(Event):
    """In the stream of the household that is no household of its own; `HouseholdAbsorbed` is the other end."""

    type: ClassVar[str] = "HouseholdMerged.v1"
    household: HouseholdId
    into: HouseholdId


class HouseholdAbsorbed(Event):
    """In the stream of the household that remains, in one transaction with `HouseholdMerged`."""

    type: ClassVar[str] = "HouseholdAbsorbed.v1"
    household: HouseholdId
    absorbed: HouseholdId


class HouseholdUnmerged(Event):
    """In the stream of the household that is one of its own again; `HouseholdReleased` is the other end."""

    type: ClassVar[str] = "HouseholdUnmerged.v1"
    household: HouseholdId
    out_of: HouseholdId


class HouseholdReleased(Event):
    """In the stream of the household that remained, in one transaction with `HouseholdUnmerged`."""

    type: ClassVar[str] = "HouseholdReleased.v1"
    household: HouseholdId
    released: HouseholdId


class HouseholdCorrected(Event):
    """Corrects the registration, which is always version 1."""

    type: ClassVar[str] = "HouseholdCorrected.v1"
    household: HouseholdId
    village: VillageCode
    cohort: Cohort | None = None


class RelocationCorrected(Event):
    type: ClassVar[str] = "RelocationCorrected.v1"
    household: HouseholdId
    corrects: Version
    village: VillageCode


class ClassificationCorrected(Event):
    type: ClassVar[str] = "ClassificationCorrected.v1"
    household: HouseholdId
    corrects: Version
    household_class: HouseholdClass


class AssessmentCorrected(Event):
    type: ClassVar[str] = "AssessmentCorrected.v1"
    household: HouseholdId
    corrects: Version
    needs: Needs
    source: Source
    interviewer: Slug


class HouseholdEntryVoided(Event):
    """A voided registration leaves a household that never was: nothing of it counts."""

    type: ClassVar[str] = "HouseholdEntryVoided.v1"
    household: HouseholdId
    voids: Version
    reason: VoidReason


RegistryCommand = (
    RegisterHousehold
    | ClassifyHousehold
    | AssessNeeds
    | RelocateHousehold
    | RecodeHousehold
    | MergeHousehold
    | UnmergeHousehold
    | CorrectHousehold
    | CorrectRelocation
    | CorrectRecoding
    | CorrectClassification
    | CorrectAssessment
    | VoidHouseholdEntry
)
RegistryEvent = (
    HouseholdRegistered
    | HouseholdClassified
    | NeedsAssessed
    | HouseholdRelocated
    | HouseholdRecoded
    | HouseholdMerged
    | HouseholdAbsorbed
    | HouseholdUnmerged
    | HouseholdReleased
    | HouseholdCorrected
    | RelocationCorrected
    | RecodingCorrected
    | ClassificationCorrected
    | AssessmentCorrected
    | HouseholdEntryVoided
)
