"""What pairing decides about a helper: who can help, where, and how many households. Pure: no clock, no store."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import assert_never

from shared.entries import Author, Entry, is_voided, to_change, to_correct
from shared.errors import Rejected
from shared.events.base import DistrictCode, HelperId, HouseholdId, Slug
from shared.events.codes import CAPACITY, HelperKind
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


@dataclass(frozen=True, slots=True)
class Days:
    """From a day on until another, that one not included; without end where there is none."""

    since: date
    until: date | None = None

    def __contains__(self, day: date) -> bool:
        return self.since <= day and (self.until is None or day < self.until)


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
    leads: Mapping[HouseholdId, Sequence[Days]] = field(default_factory=dict)
    """The households that the helper leads or led, each with when."""
    pairs: int = 0
    """Households led or supported now."""
    paired_since: date | None = None
    """The earliest day from which a pair was ever recorded; it does not move on when that pair is voided."""
    voided: bool = False

    @property
    def capacity(self) -> int | None:
        """See CAPACITY."""
        return CAPACITY[self.kind]

    def most_led(self, during: Days, apart_from: HouseholdId | None = None) -> int:
        """How many households at the most on one of these days; one household left out of the count."""
        others = [days for household, spans in self.leads.items() if household != apart_from for days in spans]
        firsts = {during.since, *(days.since for days in others)}
        return max((sum(day in days for days in others) for day in firsts if day in during), default=0)


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
            return HelperState(state.enrolment.voided_by(event))
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
    event = HelperCorrected(**command.stated())
    if enrolment.corrected(event) == enrolment:
        return []
    capacity = CAPACITY[command.kind]
    if capacity is not None and load.most_led(Days(date.min)) > capacity:
        raise Rejected("helper_full", field="data.kind", capacity=capacity)
    if load.paired_since is not None and command.occurred_on > load.paired_since:
        raise Rejected("after_what_follows", field="data.occurred_on", day=load.paired_since)
    return [event]


def _void(state: HelperState, command: VoidHelper, known: KnownHelper) -> list[HelperEvent]:
    load = _enrolled(known)
    enrolment = to_change(state.enrolment, known.author, "data.helper")
    if is_voided(enrolment, command.occurred_on, command.reason, "data.helper"):
        return []
    if load.pairs:
        raise Rejected("helper_has_pairs", field="data.helper", pairs=load.pairs)
    return [HelperVoided(**command.stated())]


def _enrolled(known: KnownHelper) -> HelperLoad:
    if known.load is None:
        raise Rejected("helper_unknown", field="data.helper")
    return known.load
