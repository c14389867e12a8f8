"""How each event changes a card. Pure and total: it takes every event of the contract and never raises."""

from collections.abc import Callable
from typing import Any

from msgspec.structs import replace

from services.projections.card import Assessed, Card, Classified, Help, Helper, Home, Household, Member, Pair
from services.projections.facts import Fact
from shared.events.interventions import InterventionDelivered
from shared.events.pairing import HelperEnrolled, PairAssigned, PairEnded
from shared.events.registry import HouseholdClassified, HouseholdRegistered, NeedsAssessed


def evolve(card: Card, fact: Fact) -> Card:
    """The card after one more fact. A fact's kind of stream fits its key, so the card is of the handler's kind."""
    return EVOLVE[fact.type](card, fact.event, fact)


def _registered(card: Household, event: HouseholdRegistered, _: Fact) -> Household:
    home = Home(event.occurred_on, event.village)
    members = tuple(Member(m.person, m.relation) for m in event.members)
    return replace(card, cohort=event.cohort, members=members, homes=(*card.homes, home))


def _classified(card: Household, event: HouseholdClassified, _: Fact) -> Household:
    return replace(card, classes=(*card.classes, Classified(event.occurred_on, event.household_class)))


def _assessed(card: Household, event: NeedsAssessed, _: Fact) -> Household:
    new = (Assessed(event.occurred_on, need.dimension, need.in_need, event.source) for need in event.needs)
    return replace(card, assessments=(*card.assessments, *new))


def _delivered(card: Household, event: InterventionDelivered, fact: Fact) -> Household:
    given = Help(
        intervention=event.intervention,
        on=event.occurred_on,
        item=event.item,
        dimensions=event.dimensions,
        level=event.level,
        provider=event.provider,
        agency=fact.agency,
        fund=event.fund,
        amount_baht=event.amount_baht,
    )
    return replace(card, helps=(*card.helps, given))


def _assigned(card: Household, event: PairAssigned, _: Fact) -> Household:
    pair = Pair(
        helper=event.helper,
        kind=event.helper_kind,
        role=event.role,
        since=event.occurred_on,
        chosen=event.chosen,
        order=event.order,
        reason=event.reason,
    )
    return replace(card, pairs=(*card.pairs, pair))


def _ended(card: Household, event: PairEnded, _: Fact) -> Household:
    """Ends the pair of this helper in this role that still holds; where none does, nothing changes."""
    pairs = list(card.pairs)
    for i in range(len(pairs) - 1, -1, -1):
        if pairs[i].helper == event.helper and pairs[i].role == event.role and pairs[i].until is None:
            pairs[i] = replace(pairs[i], until=event.occurred_on, ended=event.reason)
            break
    return replace(card, pairs=tuple(pairs))


def _enrolled(_: Helper, event: HelperEnrolled, __: Fact) -> Helper:
    return Helper(event.helper, event.kind, event.district, event.office, event.occurred_on)


EVOLVE: dict[str, Callable[[Any, Any, Fact], Card]] = {
    HouseholdRegistered.type: _registered,
    HouseholdClassified.type: _classified,
    NeedsAssessed.type: _assessed,
    InterventionDelivered.type: _delivered,
    PairAssigned.type: _assigned,
    PairEnded.type: _ended,
    HelperEnrolled.type: _enrolled,
}
"""Type name -> what it does to a card. Every published type is here (a test says so)."""
