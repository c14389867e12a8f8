"""A household's pairs: how events change them, and which hold on a day.

A pair holds from the day it was assigned to the day it ended, that one not included. One that was entered by mistake
never held, as in pairing's own rules: else the right one, assigned for the same days, would make two leads.
"""

from collections.abc import Sequence
from datetime import date

from msgspec.structs import replace

from services.projections.card import Household, Pair
from services.projections.facts import Fact
from shared.events import pairing as p
from shared.events.codes import EndReason


def holding(pairs: Sequence[Pair], day: date) -> list[Pair]:
    return [pair for pair in real(pairs) if pair.since <= day and (pair.until is None or day < pair.until)]


def days(pairs: Sequence[Pair]) -> set[date]:
    """The days on which one begins or ends."""
    return {day for pair in real(pairs) for day in (pair.since, pair.until) if day}


def real(pairs: Sequence[Pair]) -> list[Pair]:
    return [pair for pair in pairs if pair.ended is not EndReason.ENTERED_BY_MISTAKE]


# -- how each event of a pairing's stream changes a card, as evolve.py tells ---------------------------------------


def assigned(card: Household, event: p.PairAssigned, fact: Fact) -> Household:
    pair = Pair(
        helper=event.helper,
        kind=event.helper_kind,
        role=event.role,
        since=event.occurred_on,
        chosen=event.chosen,
        version=fact.version,
        order=event.order,
        reason=event.reason,
        person=event.person,
    )
    return replace(card, pairs=(*card.pairs, pair))


def ended(card: Household, event: p.PairEnded, fact: Fact) -> Household:
    """Ends the last pair of this helper in this role that still holds; where none does, nothing changes."""
    pairs = list(card.pairs)
    for i in range(len(pairs) - 1, -1, -1):
        if pairs[i].helper == event.helper and pairs[i].role == event.role and pairs[i].until is None:
            pairs[i] = replace(pairs[i], until=event.occurred_on, ended=event.reason, end_version=fact.version)
            break
    return replace(card, pairs=tuple(pairs))


def corrected(card: Household, event: p.PairCorrected, _: Fact) -> Household:
    told = {name: getattr(event, name) for name in ("chosen", "order", "reason", "person")}
    told["since"] = event.occurred_on
    pairs = (
        replace(pair, **told) if (pair.version, pair.helper) == (event.corrects, event.helper) else pair
        for pair in card.pairs
    )
    return replace(card, pairs=tuple(pairs))


def end_corrected(card: Household, event: p.PairEndCorrected, _: Fact) -> Household:
    pairs = (
        replace(pair, until=event.occurred_on, ended=event.reason)
        if (pair.end_version, pair.helper) == (event.corrects, event.helper)
        else pair
        for pair in card.pairs
    )
    return replace(card, pairs=tuple(pairs))


def entry_voided(card: Household, event: p.PairingEntryVoided, _: Fact) -> Household:
    """A voided end lets its pair hold again; a voided pair goes with its end."""
    pairs = (
        replace(pair, until=None, ended=None, end_version=0) if pair.end_version == event.voids else pair
        for pair in card.pairs
        if pair.version != event.voids
    )
    return replace(card, pairs=tuple(pairs))
