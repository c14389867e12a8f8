"""What the registry says, and can be asked to record, where a place gets another code and nobody moves.

DOPA numbers villages anew when a subdistrict is split, or a district founded (docs/recoding.md). These are commands and
events of `shared.events.registry`, in the stream of each household that lives there: figures follow from those alone.
"""

from typing import ClassVar

from shared.events.base import Command, Event, HouseholdId, Version, VillageCode


class RecodeHousehold(Command):
    """The village in which the household lives has another code from `occurred_on` on; nobody moved."""

    type: ClassVar[str] = "RecodeHousehold.v1"
    household: HouseholdId
    was: VillageCode
    """The code until then."""
    village: VillageCode


class CorrectRecoding(Command):
    """Corrects the day and the new code; a household that lived elsewhere has its recoding voided."""

    type: ClassVar[str] = "CorrectRecoding.v1"
    household: HouseholdId
    corrects: Version
    village: VillageCode


class HouseholdRecoded(Event):
    """The household did not move: its village `was` is called `village` from `occurred_on` on (docs/recoding.md).

    It says something only of a household that lives in `was` when that day comes. Whatever turns out later, such as a
    move before it, decides that anew.
    """

    type: ClassVar[str] = "HouseholdRecoded.v1"
    household: HouseholdId
    was: VillageCode
    village: VillageCode


class RecodingCorrected(Event):
    type: ClassVar[str] = "RecodingCorrected.v1"
    household: HouseholdId
    corrects: Version
    village: VillageCode
