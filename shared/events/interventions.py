"""What was done for a household, and what interventions can be asked to record.

A correction states an intervention anew, and whole, its day included; a voided one never was.
"""

from typing import Annotated, ClassVar

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

from shared.events.base import Baht, Command, Event, HouseholdId, InterventionId, Slug
from shared.events.codes import Dimension, Item, Level, VoidReason


def _each_once(dimensions: tuple[Dimension, ...]) -> tuple[Dimension, ...]:
    if len(set(dimensions)) != len(dimensions):
        raise PydanticCustomError("named_twice", "a dimension is named twice")
    return dimensions


Dimensions = Annotated[
    tuple[Dimension, ...], Field(min_length=1, max_length=len(Dimension)), AfterValidator(_each_once)
]


class RecordIntervention(Command):
    type: ClassVar[str] = "RecordIntervention.v1"
    household: HouseholdId
    intervention: InterventionId | None = None
    """Given by the agency, or made by interventions; what a correction will refer to."""
    item: Item
    dimensions: Dimensions
    level: Level
    amount_baht: Baht | None = None
    provider: Slug
    """Who handed it over."""
    fund: Slug | None = None
    """Whose money it was, where that is another body. The publishing agency is in the envelope."""


class CorrectIntervention(Command):
    type: ClassVar[str] = "CorrectIntervention.v1"
    household: HouseholdId
    intervention: InterventionId
    item: Item
    dimensions: Dimensions
    level: Level
    amount_baht: Baht | None = None
    provider: Slug
    fund: Slug | None = None


class VoidIntervention(Command):
    type: ClassVar[str] = "VoidIntervention.v1"
    household: HouseholdId
    intervention: InterventionId
    reason: VoidReason


class InterventionDelivered(Event):
    type: ClassVar[str] = "InterventionDelivered.v1"
    household: HouseholdId
    intervention: InterventionId
    item: Item
    dimensions: Dimensions
    level: Level
    amount_baht: Baht | None = None
    provider: Slug
    fund: Slug | None = None


class InterventionCorrected(Event):
    type: ClassVar[str] = "InterventionCorrected.v1"
    household: HouseholdId
    intervention: InterventionId
    item: Item
    dimensions: Dimensions
    level: Level
    amount_baht: Baht | None = None
    provider: Slug
    fund: Slug | None = None


class InterventionVoided(Event):
    type: ClassVar[str] = "InterventionVoided.v1"
    household: HouseholdId
    intervention: InterventionId
    reason: VoidReason


InterventionsCommand = RecordIntervention | CorrectIntervention | VoidIntervention
InterventionsEvent = InterventionDelivered | InterventionCorrected | InterventionVoided
