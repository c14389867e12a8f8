"""What pairing decides about the pairs of one household. Pure: no clock, no store.

Helpers stand in `helpers.py`, the pairs as they are in `pairs.py`, correcting and voiding in `corrections.py`.
"""

from typing import assert_never

from services.pairing import corrections
from services.pairing.known import Known, require_helper, require_place_to_lead
from services.pairing.pairs import PairEvent, Pairing
from shared.errors import Rejected
from shared.events.codes import PairRole
from shared.events.pairing import (
    AssignPair,
    CorrectPair,
    CorrectPairEnd,
    EndPair,
    PairAssigned,
    PairEnded,
    VoidPairingEntry,
)
from shared.standing import require_own

PairCommand = AssignPair | EndPair | CorrectPair | CorrectPairEnd | VoidPairingEntry


def decide(state: Pairing, command: PairCommand, known: Known) -> list[PairEvent]:
    """The events that `command` makes true; none where it says what is so already. Raises Rejected."""
    match command:
        case AssignPair():
            return _assign(state, command, known)
        case EndPair():
            return _end(state, command)
        case CorrectPair():
            return corrections.correct_pair(state, command, known)
        case CorrectPairEnd():
            return corrections.correct_end(state, command, known)
        case VoidPairingEntry():
            return corrections.void(state, command, known)
        case _:
            assert_never(command)


def _assign(state: Pairing, command: AssignPair, known: Known) -> list[PairEvent]:
    if pair := state.with_helper(command.helper):
        return _again(pair, command)
    require_own(known.household)
    if known.exited is not None and command.occurred_on <= known.exited:
        raise Rejected("household_exited", field="data.occurred_on", day=known.exited)
    helper = require_helper(command, known)
    if command.role is PairRole.LEAD:
        require_place_to_lead(state, command, helper, known)
    _refuse_overlap(state, command)
    return [PairAssigned(**command.stated(), helper_kind=helper.kind)]


def _again(pair: PairAssigned, command: AssignPair) -> list[PairEvent]:
    if pair == PairAssigned(**command.stated(), helper_kind=pair.helper_kind):
        return []
    raise Rejected("pair_assigned_otherwise", field="data.helper", role=pair.role, day=pair.occurred_on)


def _refuse_overlap(state: Pairing, command: AssignPair) -> None:
    """An earlier lead, or an earlier pair of these two, must have ended by then."""
    earlier = [
        span.until
        for span in state.spans
        if span.until is not None
        and (span.pair.helper == command.helper or span.pair.role is command.role is PairRole.LEAD)
    ]
    if earlier and command.occurred_on < max(earlier):
        raise Rejected("overlaps_earlier_pair", field="data.occurred_on", day=max(earlier))


def _end(state: Pairing, command: EndPair) -> list[PairEvent]:
    """Also of a household that was merged or voided since: its helper must be free to look after another."""
    pair = state.with_helper(command.helper)
    if pair is None:
        ended = (entry.event for entry in state.ends.values() if entry.holds)
        if any(end == PairEnded(**command.stated(), role=end.role) for end in ended):
            return []
        raise Rejected("pair_unknown", field="data.helper")
    if command.occurred_on < pair.occurred_on:
        raise Rejected("ends_before_it_began", field="data.occurred_on", day=pair.occurred_on)
    return [PairEnded(**command.stated(), role=pair.role)]
