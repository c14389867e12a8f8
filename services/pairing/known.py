"""What is looked up before a decision about a pair, and the rules over it. Pure."""

from dataclasses import dataclass
from datetime import date

from services.pairing.helpers import Days, HelperLoad
from services.pairing.pairs import Pairing
from shared.entries import Author
from shared.errors import Rejected
from shared.events.base import DistrictCode, HouseholdId
from shared.events.codes import HelperKind
from shared.events.pairing import AssignPair, CorrectPair, PairAssigned
from shared.standing import Standing


@dataclass(frozen=True)
class Known:
    author: Author
    household: Standing | None
    """None: the registry has not told of this household."""
    district: DistrictCode | None
    """In which the household lived on the day of the command; None as above."""
    helper: HelperLoad | None
    """None: nobody enrolled this helper."""
    led_elsewhere: bool = False
    """A household that was merged with this one brought a lead helper along."""
    exited: date | None = None
    """The last day on which the household exited the programme."""


def require_helper(command: AssignPair | CorrectPair, known: Known) -> HelperLoad:
    """Raises Rejected where this helper cannot be paired from that day on, with a household of that place."""
    helper = known.helper
    if helper is None:
        raise Rejected("helper_unknown", field="data.helper")
    if helper.voided:
        raise Rejected("helper_voided", field="data.helper")
    if command.occurred_on < helper.since:
        raise Rejected("before_registration", field="data.occurred_on", day=helper.since)
    _refuse_other_district(command, helper, known.district)
    return helper


def _refuse_other_district(
    command: AssignPair | CorrectPair, helper: HelperLoad, district: DistrictCode | None
) -> None:
    """Document B pairs the officers of a district with its households; for the other kinds it names no place."""
    if helper.kind is not HelperKind.OFFICER or helper.district == district or (command.reason and command.order):
        return
    raise Rejected(
        "other_district_needs_reason_and_order",
        field="data.order" if command.reason else "data.reason",
        helper_district=helper.district,
        household_district=district,
    )


def require_place_to_lead(state: Pairing, pair: AssignPair | PairAssigned, helper: HelperLoad, known: Known) -> None:
    """For a pair without an end. Raises Rejected household_already_paired, helper_full."""
    if state.lead is not None or known.led_elsewhere:
        raise Rejected("household_already_paired", field="data.household")
    require_room(helper, pair.household, Days(pair.occurred_on))


def require_room(helper: HelperLoad, household: HouseholdId, during: Days) -> None:
    """On none of these days does the helper lead as many other households as he can. Raises Rejected helper_full."""
    if helper.capacity is not None and helper.most_led(during, household) >= helper.capacity:
        raise Rejected("helper_full", field="data.helper", capacity=helper.capacity)
