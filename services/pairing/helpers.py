"""What pairing decides about a helper: who can help, where, and how many households. Pure: no clock, no store."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import assert_never

from shared.entries import Author, Entry, is_voided, to_change, to_correct
from shared.errors import Rejected
from shared.events.base import DistrictCode, HelperId, Slug
from shared.events.codes import HelperKind
from shared.events.pairing import (
    CorrectHelper,
    EnrolHelper,
    HelperCorrected,
    HelperEnrolled,
    HelperVoided,
    VoidHelper,
)

HelperCommand = EnrolHelper | CorrectHelper | VoidHelper
HelperEvent = HelperEnrolled | HelperCorrected | HelperVoided

CAPACITY: Mapping[HelperKind, int | None] = {
    HelperKind.OFFICER: 2,  # documents A and B: one officer, two households
    HelperKind.PERSON: 1,  # document B's closing note: an individual with an individual
    HelperKind.HOUSEHOLD: 1,  # document B's closing note: a family with a family
    HelperKind.GROUP: None,  # document B names no limit
    HelperKind.ORGANISATION: None,
}
"""How many households a helper of a kind can lead at a time; None is without limit."""


@dataclass(frozen=True)
class HelperState:
    enrolment: Entry[HelperEnrolled] | None = None


HELPER_START = HelperState()


@dataclass(frozen=True)
class HelperLoad:
    """What a decision must know of a helper; the row is locked while we decide."""

    kind: HelperKind
    district: DistrictCode
    since: date
    """The day of enrolment."""
    load: int = 0
    """Households led now."""
    pairs: int = 0
    """Households led or supported now."""
    paired_since: date | None = None
    """The earliest day from which a pair was ever recorded; it does not move on when that pair is voided."""
    voided: bool = False

    @property
    def capacity(self) -> int | None:
        """See CAPACITY."""
        return CAPACITY[self.kind]


@dataclass(frozen=True)
class KnownHelper:
    helper: HelperId
    author: Author
    sealed: str | None = None
    load: HelperLoad | None = None
    """None: nobody enrolled this helper."""


def decide_helper(state: HelperState, command: HelperCommand, known: KnownHelper) -> list[HelperEvent]:
    """The event that `command` makes true; none where it says what is so already. Raises Rejected."""
    match command:
        case EnrolHelper():
            return _enrol(state, command, known)
        case CorrectHelper():
            return _correct(state, command, known)
        case VoidHelper():
            return _void(state, command, known)
        case _:
            assert_never(command)


def evolve_helper(state: HelperState, event: HelperEvent, agency: Slug) -> HelperState:
    """The state after one more event of the stream, which `agency` published."""
    if isinstance(event, HelperEnrolled):
        return HelperState(Entry(event, agency))
    if state.enrolment is None:
        return state
    match event:
        case HelperCorrected():
            return HelperState(state.enrolment.corrected(event))
        case HelperVoided():
            return HelperState(replace(state.enrolment, voided=(event.occurred_on, event.reason)))
        case _:
            assert_never(event)


def _enrol(state: HelperState, command: EnrolHelper, known: KnownHelper) -> list[HelperEvent]:
    event = HelperEnrolled(
        occurred_on=command.occurred_on,
        helper=known.helper,
        kind=command.kind,
        district=command.district,
        office=command.office,
        sealed=known.sealed,
    )
    if state.enrolment is None:
        return [event]
    if not state.enrolment.holds:
        raise Rejected("helper_voided", field="data.helper")
    if _comparable(state.enrolment.event) == _comparable(event):
        return []
    raise Rejected("helper_enrolled_otherwise", field="data.helper")


def _comparable(event: HelperEnrolled) -> tuple[HelperEnrolled, bool]:
    """Sealing the same name twice gives other bytes, so of the name only its presence counts."""
    return event.model_copy(update={"sealed": None}), event.sealed is None


def _correct(state: HelperState, command: CorrectHelper, known: KnownHelper) -> list[HelperEvent]:
    load = _enrolled(known)
    enrolment = to_correct(state.enrolment, known.author, "data.helper")
    event = HelperCorrected(**dict(command))
    if enrolment.corrected(event) == enrolment:
        return []
    capacity = CAPACITY[command.kind]
    if capacity is not None and load.load > capacity:
        raise Rejected("helper_full", field="data.kind", capacity=capacity)
    if load.paired_since is not None and command.occurred_on > load.paired_since:
        raise Rejected("after_what_follows", field="data.occurred_on", day=load.paired_since.isoformat())
    return [event]


def _void(state: HelperState, command: VoidHelper, known: KnownHelper) -> list[HelperEvent]:
    load = _enrolled(known)
    enrolment = to_change(state.enrolment, known.author, "data.helper")
    if is_voided(enrolment, command.occurred_on, command.reason, "data.helper"):
        return []
    if load.pairs:
        raise Rejected("helper_has_pairs", field="data.helper", pairs=load.pairs)
    return [HelperVoided(**dict(command))]


def _enrolled(known: KnownHelper) -> HelperLoad:
    if known.load is None:
        raise Rejected("helper_unknown", field="data.helper")
    return known.load
