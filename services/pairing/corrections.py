"""Correcting and voiding pairs and their ends. Pure.

Rules, all ours: only who published an entry, or the secretariat, changes it; what is voided stays voided; whatever is
corrected, on no day did a household have two leads, and no helper leads more than he can.
"""

from collections.abc import Mapping
from typing import TypeVar

from services.pairing.helpers import Days
from services.pairing.known import Known, require_helper, require_place_to_lead, require_room
from services.pairing.pairs import PairEvent, Pairing, evolve
from shared.entries import Entry, is_voided, to_change, to_correct
from shared.errors import Rejected
from shared.events.base import HelperId, Version
from shared.events.codes import PairRole
from shared.events.pairing import (
    CorrectPair,
    CorrectPairEnd,
    PairAssigned,
    PairCorrected,
    PairEndCorrected,
    PairEnded,
    PairingEntryVoided,
    VoidPairingEntry,
)
from shared.standing import require_own

P = TypeVar("P", PairAssigned, PairEnded)


def correct_pair(state: Pairing, command: CorrectPair, known: Known) -> list[PairEvent]:
    """Nothing where the pair says so already. Raises Rejected."""
    pair = _of_helper(state.pairs, command.corrects, command.helper)
    pair = to_correct(pair, known.author, "data.corrects")
    event = PairCorrected(**command.stated())
    if pair.corrected(event) == pair:
        return []
    require_own(known.household)
    require_helper(command, known)
    end = state.end_of(command.corrects)
    if end and command.occurred_on > end.occurred_on:
        raise Rejected("after_what_follows", field="data.occurred_on", day=end.occurred_on)
    _refuse_conflict(evolve(state, event, known.author.agency), command.corrects, "data.occurred_on", known)
    return [event]


def correct_end(state: Pairing, command: CorrectPairEnd, known: Known) -> list[PairEvent]:
    """Nothing where the end says so already. Raises Rejected."""
    end = _of_helper(state.ends, command.corrects, command.helper)
    end = to_correct(end, known.author, "data.corrects")
    event = PairEndCorrected(**command.stated())
    if end.corrected(event) == end:
        return []
    require_own(known.household)
    if (version := state.pair_of(command.corrects)) is not None:
        began = state.pairs[version].event.occurred_on
        if command.occurred_on < began:
            raise Rejected("ends_before_it_began", field="data.occurred_on", day=began)
        _refuse_conflict(evolve(state, event, known.author.agency), version, "data.occurred_on", known)
    return [event]


def void(state: Pairing, command: VoidPairingEntry, known: Known) -> list[PairEvent]:
    """Nothing where this very voiding is recorded. Raises Rejected."""
    pair = _of_helper(state.pairs, command.voids, command.helper)
    end = _of_helper(state.ends, command.voids, command.helper)
    entry: Entry[PairAssigned | PairEnded] = to_change(pair or end, known.author, "data.voids")
    if is_voided(entry, command.occurred_on, command.reason, "data.voids"):
        return []
    require_own(known.household)
    event = PairingEntryVoided(**command.stated(), role=entry.event.role)
    version = state.pair_of(command.voids)
    if version is not None:
        _refuse_holding_again(state, version, event, known)
    return [event]


def _refuse_holding_again(state: Pairing, version: Version, event: PairingEntryVoided, known: Known) -> None:
    """A pair whose end never was holds again, so it takes what a new one would."""
    if known.helper is None or known.helper.voided:
        raise Rejected("helper_voided", field="data.helper")
    pair = state.pairs[version].event
    if pair.role is PairRole.LEAD:
        require_place_to_lead(state, pair, known.helper, known)
    _refuse_conflict(evolve(state, event, known.author.agency), version, "data.voids", known)


def _refuse_conflict(after: Pairing, version: Version, field: str, known: Known) -> None:
    spans = {span.version: span for span in after.spans}
    changed = spans.pop(version, None)
    if changed is None:
        return
    for other in spans.values():
        if changed.overlaps(other):
            raise Rejected("pairs_overlap", field=field, day=other.pair.occurred_on)
    if changed.pair.role is PairRole.LEAD and known.helper:
        require_room(known.helper, changed.pair.household, Days(changed.pair.occurred_on, changed.until))


def _of_helper(entries: Mapping[Version, Entry[P]], version: Version, helper: HelperId) -> Entry[P] | None:
    entry = entries.get(version)
    return entry if entry and entry.event.helper == helper else None
