"""What pairing decides: who can help, and who looks after one household. Pure: no clock, no store.

Two kinds of stream: a helper's, and the pairing of one household. A pair lasts from the day it was assigned to the
day it ended, that day not included, so another may begin on it.
"""

from dataclasses import dataclass, replace
from datetime import date
from typing import assert_never

from shared.errors import Rejected
from shared.events.base import DistrictCode, HelperId
from shared.events.codes import EndReason, HelperKind, PairRole
from shared.events.pairing import AssignPair, EndPair, EnrolHelper, HelperEnrolled, PairAssigned, PairEnded

CAPACITY: dict[HelperKind, int | None] = {
    HelperKind.OFFICER: 2,  # documents A and B: one officer, two households
    HelperKind.PERSON: 1,  # document B's closing note: an individual with an individual
    HelperKind.HOUSEHOLD: 1,  # document B's closing note: a family with a family
    HelperKind.GROUP: None,  # document B names no limit
    HelperKind.ORGANISATION: None,
}
"""How many households a helper of a kind can lead at a time; None is without limit."""


def load_change(event: PairAssigned | PairEnded) -> int:
    """What `event` does to the helper's load. Only leading takes capacity: a supporter answers for nothing alone."""
    if event.role is not PairRole.LEAD:
        return 0
    return 1 if isinstance(event, PairAssigned) else -1


# -- a helper ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class HelperState:
    enrolled: HelperEnrolled | None = None


HELPER_START = HelperState()


@dataclass(frozen=True)
class KnownHelper:
    helper: HelperId
    sealed: str | None = None


def decide_helper(state: HelperState, command: EnrolHelper, known: KnownHelper) -> list[HelperEnrolled]:
    """The event that `command` makes true; none where it says what is so already. Raises Rejected."""
    event = HelperEnrolled(
        occurred_on=command.occurred_on,
        helper=known.helper,
        kind=command.kind,
        district=command.district,
        office=command.office,
        sealed=known.sealed,
    )
    if state.enrolled is None:
        return [event]
    if _comparable(state.enrolled) == _comparable(event):
        return []
    raise Rejected("helper_enrolled_otherwise", field="data.helper")


def evolve_helper(state: HelperState, event: HelperEnrolled) -> HelperState:
    return replace(state, enrolled=event)


def _comparable(event: HelperEnrolled) -> tuple[HelperEnrolled, bool]:
    """Sealing the same name twice gives other bytes, so of the name only its presence counts."""
    return event.model_copy(update={"sealed": None}), event.sealed is None


# -- the pairing of one household --------------------------------------------------------------------------------


@dataclass(frozen=True)
class Pairing:
    """The pairs of one household, folded from its stream."""

    active: tuple[PairAssigned, ...] = ()
    """At most one leads; a helper stands here at most once."""
    ended: tuple[PairEnded, ...] = ()

    @property
    def lead(self) -> PairAssigned | None:
        return next((pair for pair in self.active if pair.role is PairRole.LEAD), None)

    def with_helper(self, helper: HelperId) -> PairAssigned | None:
        return next((pair for pair in self.active if pair.helper == helper), None)


START = Pairing()


@dataclass(frozen=True)
class HelperLoad:
    """The other end of the pair; its row is locked while we decide."""

    kind: HelperKind
    district: DistrictCode
    capacity: int | None
    """See CAPACITY."""
    load: int
    """Households led now."""
    since: date
    """The day of enrolment."""


@dataclass(frozen=True)
class Known:
    """What was looked up before the decision."""

    household_district: DistrictCode | None
    """None: the registry has not told of this household."""
    helper: HelperLoad | None
    """None: nobody enrolled this helper."""


def decide(state: Pairing, command: AssignPair | EndPair, known: Known) -> list[PairAssigned | PairEnded]:
    """The events that `command` makes true; none where it says what is so already. Raises Rejected."""
    match command:
        case AssignPair():
            return _assign(state, command, known)
        case EndPair():
            return _end(state, command)
        case _:
            assert_never(command)


def evolve(state: Pairing, event: PairAssigned | PairEnded) -> Pairing:
    others = tuple(pair for pair in state.active if pair.helper != event.helper)
    match event:
        case PairAssigned():
            return replace(state, active=(*others, event))
        case PairEnded():
            return replace(state, active=others, ended=(*state.ended, event))
        case _:
            assert_never(event)


def _assign(state: Pairing, command: AssignPair, known: Known) -> list[PairAssigned | PairEnded]:
    if pair := state.with_helper(command.helper):
        return _again(pair, command)
    if known.household_district is None:
        raise Rejected("household_unknown", field="data.household")
    if known.helper is None:
        raise Rejected("helper_unknown", field="data.helper")
    if command.occurred_on < known.helper.since:
        raise Rejected("before_registration", field="data.occurred_on", day=known.helper.since.isoformat())
    _refuse_other_district(command, known.helper, known.household_district)
    if command.role is PairRole.LEAD:
        _refuse_second_lead(state, known.helper)
    _refuse_overlap(state, command)
    return [PairAssigned(**dict(command), helper_kind=known.helper.kind)]


def _again(pair: PairAssigned, command: AssignPair) -> list[PairAssigned | PairEnded]:
    if pair == PairAssigned(**dict(command), helper_kind=pair.helper_kind):
        return []
    raise Rejected("pair_assigned_otherwise", field="data.helper", role=pair.role, day=pair.occurred_on.isoformat())


def _refuse_other_district(command: AssignPair, helper: HelperLoad, district: DistrictCode) -> None:
    """Document B pairs the officers of a district with its households; for the other kinds it names no place."""
    if helper.kind is not HelperKind.OFFICER or helper.district == district or (command.reason and command.order):
        return
    raise Rejected(
        "other_district_needs_reason_and_order",
        field="data.order" if command.reason else "data.reason",
        helper_district=helper.district,
        household_district=district,
    )


def _refuse_second_lead(state: Pairing, helper: HelperLoad) -> None:
    if state.lead is not None:
        raise Rejected("household_already_paired", field="data.household")
    if helper.capacity is not None and helper.load >= helper.capacity:
        raise Rejected("helper_full", field="data.helper", capacity=helper.capacity)


def _refuse_overlap(state: Pairing, command: AssignPair) -> None:
    """An earlier lead, or an earlier pair of these two, must have ended by then; one entered by mistake never was."""
    earlier = [
        end.occurred_on
        for end in state.ended
        if end.reason is not EndReason.ENTERED_BY_MISTAKE
        and (end.helper == command.helper or end.role is command.role is PairRole.LEAD)
    ]
    if earlier and command.occurred_on < max(earlier):
        raise Rejected("overlaps_earlier_pair", field="data.occurred_on", day=max(earlier).isoformat())


def _end(state: Pairing, command: EndPair) -> list[PairAssigned | PairEnded]:
    pair = state.with_helper(command.helper)
    if pair is None:
        if any(end == PairEnded(**dict(command), role=end.role) for end in state.ended):
            return []
        raise Rejected("pair_unknown", field="data.helper")
    if command.occurred_on < pair.occurred_on:
        raise Rejected("ends_before_it_began", field="data.occurred_on", day=pair.occurred_on.isoformat())
    return [PairEnded(**dict(command), role=pair.role)]
