"""What the registry says about households, and what it can be asked to record."""

from typing import Annotated, ClassVar

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

from shared.events.base import Command, Day, Event, HouseholdId, Message, Personal, PersonId, Slug, VillageCode
from shared.events.codes import Cohort, DigitCheck, Dimension, HouseholdClass, Relation, Source

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


RegistryCommand = RegisterHousehold | ClassifyHousehold | AssessNeeds
RegistryEvent = HouseholdRegistered | HouseholdClassified | NeedsAssessed
