"""What was done for a household, when it left the programme, and what interventions can be asked to record.

A correction states an intervention or an exit anew, and whole, its day included; a voided one never was.
"""

from typing import Annotated, ClassVar

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

from shared.events.base import Baht, Command, Day, Event, ExitId, HouseholdId, InterventionId, Message, Slug
from shared.events.codes import Dimension, ExitReason, Item, Level, VoidReason


def _each_once(dimensions: tuple[Dimension, ...]) -> tuple[Dimension, ...]:
    if len(set(dimensions)) != len(dimensions):
        raise PydanticCustomError("named_twice", "a dimension is named twice")
    return dimensions


Dimensions = Annotated[
    tuple[Dimension, ...], Field(min_length=1, max_length=len(Dimension)), AfterValidator(_each_once)
]


class Verified(Message):
    """On which day each level found that the household exits: first who lives there, at last who directs the help.

    Three levels are policy of ours, after China's village appraisal, township check and county decision: documents A
    and B do not speak of exits.
    """

    community: Day
    """The household and its village community."""
    subdistrict: Day
    """The subdistrict (ตำบล)."""
    district: Day
    """The district's working group."""


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


class ExitCase(Command):
    type: ClassVar[str] = "ExitCase.v1"
    household: HouseholdId
    exit: ExitId | None = None
    """Given by the agency, or made by interventions; what a correction will refer to."""
    reason: ExitReason
    verified: Verified


class CorrectExit(Command):
    type: ClassVar[str] = "CorrectExit.v1"
    household: HouseholdId
    exit: ExitId
    reason: ExitReason
    verified: Verified


class VoidExit(Command):
    type: ClassVar[str] = "VoidExit.v1"
    household: HouseholdId
    exit: ExitId
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


class CaseExited(Event):
    """From this day on the household is in the programme no more, until a later assessment finds it there again."""

    type: ClassVar[str] = "CaseExited.v1"
    household: HouseholdId
    exit: ExitId
    reason: ExitReason
    verified: Verified


class CaseExitCorrected(Event):
    type: ClassVar[str] = "CaseExitCorrected.v1"
    household: HouseholdId
    exit: ExitId
    reason: ExitReason
    verified: Verified


class CaseExitVoided(Event):
    type: ClassVar[str] = "CaseExitVoided.v1"
    household: HouseholdId
    exit: ExitId
    reason: VoidReason


ExitCommand = ExitCase | CorrectExit | VoidExit
ExitEvent = CaseExited | CaseExitCorrected | CaseExitVoided
InterventionsCommand = RecordIntervention | CorrectIntervention | VoidIntervention | ExitCommand
InterventionsEvent = InterventionDelivered | InterventionCorrected | InterventionVoided | ExitEvent
