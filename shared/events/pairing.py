"""What pairing says about helpers and who looks after whom, and what it can be asked to record."""

from typing import Annotated, ClassVar

from pydantic import Field

from shared.events.base import Command, DistrictCode, Event, HelperId, HouseholdId, OrderNumber, Personal, Slug
from shared.events.codes import Chosen, EndReason, HelperKind, OtherDistrictReason, PairRole

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


PairingCommand = EnrolHelper | AssignPair | EndPair
PairingEvent = HelperEnrolled | PairAssigned | PairEnded
