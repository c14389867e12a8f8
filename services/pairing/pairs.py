"""Who looks after one household, as its stream tells. Pure.

A pair lasts from the day it was assigned to the day it ended, that day not included, so another may begin on it.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from typing import TypeVar, assert_never

from shared.entries import Entry
from shared.events.base import Event, HelperId, Slug, Version
from shared.events.codes import EndReason, PairRole
from shared.events.pairing import PairAssigned, PairCorrected, PairEndCorrected, PairEnded, PairingEntryVoided

PairEvent = PairAssigned | PairEnded | PairCorrected | PairEndCorrected | PairingEntryVoided

E = TypeVar("E", bound=Event)


@dataclass(frozen=True, slots=True)
class Span:
    """A pair that was so: not voided, nor ended as entered by mistake."""

    version: Version
    pair: PairAssigned
    until: date | None

    def overlaps(self, other: "Span") -> bool:
        """On some day both were so, and they may not be: two leads, or one helper twice."""
        if self.pair.helper != other.pair.helper and not self.leads_with(other):
            return False
        return _before(self.pair.occurred_on, other.until) and _before(other.pair.occurred_on, self.until)

    def leads_with(self, other: "Span") -> bool:
        return self.pair.role is other.pair.role is PairRole.LEAD


def _before(day: date, end: date | None) -> bool:
    return end is None or day < end


@dataclass(frozen=True)
class Pairing:
    """The pairs of one household, folded from its stream."""

    version: int = 0
    pairs: Mapping[Version, Entry[PairAssigned]] = field(default_factory=dict)
    ends: Mapping[Version, Entry[PairEnded]] = field(default_factory=dict)
    ended_by: Mapping[Version, Version] = field(default_factory=dict)
    """Pair -> its end, the later one where the first was voided."""

    @property
    def spans(self) -> Iterator[Span]:
        for version, entry in self.pairs.items():
            end = self.end_of(version)
            if entry.holds and (end is None or end.reason is not EndReason.ENTERED_BY_MISTAKE):
                yield Span(version, entry.event, end.occurred_on if end else None)

    @property
    def led(self) -> Iterator[Span]:
        return (span for span in self.spans if span.pair.role is PairRole.LEAD)

    @property
    def active(self) -> tuple[PairAssigned, ...]:
        """At most one leads; a helper stands here at most once."""
        return tuple(span.pair for span in self.spans if span.until is None)

    @property
    def lead(self) -> PairAssigned | None:
        return next((pair for pair in self.active if pair.role is PairRole.LEAD), None)

    def holds(self, helper: HelperId) -> bool:
        """Leads or supports."""
        return self.with_helper(helper) is not None

    def with_helper(self, helper: HelperId) -> PairAssigned | None:
        return next((pair for pair in self.active if pair.helper == helper), None)

    def end_of(self, version: Version) -> PairEnded | None:
        """How the pair at `version` ended, if it did."""
        end = self.ends.get(self.ended_by.get(version, 0))
        return end.event if end and end.holds else None

    def pair_of(self, end: Version) -> Version | None:
        """The pair that the end at `end` ends, or did until it was voided."""
        return next((pair for pair, by in self.ended_by.items() if by == end), None)


START = Pairing()


def evolve(before: Pairing, event: PairEvent, agency: Slug) -> Pairing:
    """The state after one more event of the stream, which `agency` published."""
    state = replace(before, version=before.version + 1)
    match event:
        case PairAssigned():
            return replace(state, pairs={**state.pairs, state.version: Entry(event, agency)})
        case PairEnded():
            return _ended(state, event, agency)
        case PairCorrected():
            return replace(state, pairs=_corrected(state.pairs, event.corrects, event))
        case PairEndCorrected():
            return replace(state, ends=_corrected(state.ends, event.corrects, event))
        case PairingEntryVoided():
            return _voided(state, event)
        case _:
            assert_never(event)


def _ended(state: Pairing, event: PairEnded, agency: Slug) -> Pairing:
    pair = next((s.version for s in state.spans if s.until is None and s.pair.helper == event.helper), None)
    ended_by = state.ended_by if pair is None else {**state.ended_by, pair: state.version}
    return replace(state, ends={**state.ends, state.version: Entry(event, agency)}, ended_by=ended_by)


def _corrected(entries: Mapping[Version, Entry[E]], version: Version, by: Event) -> Mapping[Version, Entry[E]]:
    entry = entries.get(version)
    return entries if entry is None else {**entries, version: entry.corrected(by)}


def _voided(state: Pairing, event: PairingEntryVoided) -> Pairing:
    ends = _without(state.ends, event.voids, event)
    if event.voids in state.pairs and (end := state.ended_by.get(event.voids)):
        ends = _without(ends, end, event)
    return replace(state, pairs=_without(state.pairs, event.voids, event), ends=ends)


def _without(
    entries: Mapping[Version, Entry[E]], version: Version, event: PairingEntryVoided
) -> Mapping[Version, Entry[E]]:
    entry = entries.get(version)
    if entry is None or not entry.holds:
        return entries
    return {**entries, version: entry.voided_by(event)}
