"""What pairing says about helpers and who looks after whom, and what it can be asked to record.

Corrections and voiding events as in `shared.events.registry`.
"""

from typing import Annotated, ClassVar

from pydantic import Field

from shared.events.base import (
    Command,
    DistrictCode,
    Event,
    HelperId,
    HouseholdId,
    OrderNumber,
    Personal,
    PersonId,
    Slug,
    Version,
)
from shared.events.codes import Chosen, EndReason, HelperKind, OtherDistrictReason, PairRole, VoidReason

PoolSize = Annotated[int, Field(ge=1, le=100_000)]

# -- commands ----------------------------------------------------------------------------------------------------


class EnrolHelper(Command):
    type: ClassVar[str] = "EnrolHelper.v1"
    helper: HelperId | None = None
    """Given by the agency (random), or made by pairing."""
    kind: HelperKind
    district: DistrictCode
    """Where the helper serves."""
    office: Slug
    """The agency the helper belongs to."""
    name: Personal | None = None


class AssignPair(Command):
    type: ClassVar[str] = "AssignPair.v1"
    household: HouseholdId
    helper: HelperId
    role: PairRole = PairRole.LEAD
    person: PersonId | None = None
    """The member whom the pair is about, where it is one: document B pairs with individuals and with families."""
    chosen: Chosen
    rule_version: Slug | None = None
    """Of the rule that suggested this pair, where one did."""
    pool: PoolSize | None = None
    """How many helpers could have been chosen."""
    order: OrderNumber | None = None
    reason: OtherDistrictReason | None = None
    """Why a helper of another district, where that is so."""


class EndPair(Command):
    type: ClassVar[str] = "EndPair.v1"
    household: HouseholdId
    helper: HelperId
    reason: EndReason


class CorrectHelper(Command):
    """Corrects an enrolment; not for a helper who moved on, which is a new fact."""

    type: ClassVar[str] = "CorrectHelper.v1"
    helper: HelperId
    kind: HelperKind
    district: DistrictCode
    office: Slug


class VoidHelper(Command):
    """Nobody of this id ever helped. Refused while a pair of the helper's holds."""

    type: ClassVar[str] = "VoidHelper.v1"
    helper: HelperId
    reason: VoidReason


class CorrectPair(Command):
    """Corrects how and since when two are a pair. Another helper is another pair: void this one, assign that."""

    type: ClassVar[str] = "CorrectPair.v1"
    household: HouseholdId
    helper: HelperId
    corrects: Version
    person: PersonId | None = None
    chosen: Chosen
    rule_version: Slug | None = None
    pool: PoolSize | None = None
    order: OrderNumber | None = None
    reason: OtherDistrictReason | None = None


class CorrectPairEnd(Command):
    type: ClassVar[str] = "CorrectPairEnd.v1"
    household: HouseholdId
    helper: HelperId
    corrects: Version
    reason: EndReason


class VoidPairingEntry(Command):
    """Voids a pair, with its end, or the end of a pair, which then holds again."""

    type: ClassVar[str] = "VoidPairingEntry.v1"
    household: HouseholdId
    helper: HelperId
    voids: Version
    reason: VoidReason


# -- events ------------------------------------------------------------------------------------------------------


class HelperEnrolled(Event):
    type: ClassVar[str] = "HelperEnrolled.v1"
    helper: HelperId
    kind: HelperKind
    district: DistrictCode
    office: Slug
    sealed: str | None = None
    """The helper's name under the helper's own key."""


class PairAssigned(Event):
    type: ClassVar[str] = "PairAssigned.v1"
    household: HouseholdId
    helper: HelperId
    helper_kind: HelperKind
    role: PairRole
    person: PersonId | None = None
    chosen: Chosen
    rule_version: Slug | None = None
    pool: PoolSize | None = None
    order: OrderNumber | None = None
    reason: OtherDistrictReason | None = None


class PairEnded(Event):
    type: ClassVar[str] = "PairEnded.v1"
    household: HouseholdId
    helper: HelperId
    role: PairRole
    reason: EndReason


class HelperCorrected(Event):
    """Corrects the enrolment, which is always version 1."""

    type: ClassVar[str] = "HelperCorrected.v1"
    helper: HelperId
    kind: HelperKind
    district: DistrictCode
    office: Slug


class HelperVoided(Event):
    type: ClassVar[str] = "HelperVoided.v1"
    helper: HelperId
    reason: VoidReason


class PairCorrected(Event):
    type: ClassVar[str] = "PairCorrected.v1"
    household: HouseholdId
    helper: HelperId
    corrects: Version
    person: PersonId | None = None
    chosen: Chosen
    rule_version: Slug | None = None
    pool: PoolSize | None = None
    order: OrderNumber | None = None
    reason: OtherDistrictReason | None = None


class PairEndCorrected(Event):
    type: ClassVar[str] = "PairEndCorrected.v1"
    household: HouseholdId
    helper: HelperId
    corrects: Version
    reason: EndReason


class PairingEntryVoided(Event):
    """A voided pair takes its end with it; a voided end lets the pair hold again."""

    type: ClassVar[str] = "PairingEntryVoided.v1"
    household: HouseholdId
    helper: HelperId
    role: PairRole
    voids: Version
    reason: VoidReason


PairingCommand = (
    EnrolHelper | AssignPair | EndPair | CorrectHelper | VoidHelper | CorrectPair | CorrectPairEnd | VoidPairingEntry
)
PairingEvent = (
    HelperEnrolled
    | PairAssigned
    | PairEnded
    | HelperCorrected
    | HelperVoided
    | PairCorrected
    | PairEndCorrected
    | PairingEntryVoided
)
