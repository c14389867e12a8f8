"""How each event changes a card. Pure and total: it takes every event of the contract and never raises.

A correction of something unknown or voided changes nothing, and neither does voiding it, or voiding a voiding event.
"""

from collections.abc import Callable
from typing import Any

from msgspec.structs import replace

from services.projections import mending, pairs
from services.projections.card import Assessed, Card, Classified, Help, Helper, Home, Household, Link, Member
from services.projections.exits import Exit
from services.projections.facts import Fact
from shared.events import interventions as i
from shared.events import pairing as p
from shared.events import recoding
from shared.events import registry as r


def evolve(card: Card, fact: Fact) -> Card:
    """The card after one more fact. A fact's kind of stream fits its key, so the card is of the handler's kind."""
    if type(card) is Household and card.voided and fact.type not in LINKS:
        return card
    return EVOLVE[fact.type](card, fact.event, fact)


def _registered(card: Household, event: r.HouseholdRegistered, fact: Fact) -> Household:
    home = Home(event.occurred_on, event.village, fact.version)
    members = tuple(Member(m.person, m.relation) for m in event.members)
    return replace(card, cohort=event.cohort, members=members, homes=(*card.homes, home))


def _relocated(card: Household, event: r.HouseholdRelocated, fact: Fact) -> Household:
    return replace(card, homes=(*card.homes, Home(event.occurred_on, event.village, fact.version)))


def _recoded(card: Household, event: recoding.HouseholdRecoded, fact: Fact) -> Household:
    home = Home(event.occurred_on, event.village, fact.version, event.was)
    return replace(card, homes=(*card.homes, home))


def _classified(card: Household, event: r.HouseholdClassified, fact: Fact) -> Household:
    new = Classified(event.occurred_on, event.household_class, fact.version)
    return replace(card, classes=(*card.classes, new))


def _assessed(card: Household, event: r.NeedsAssessed, fact: Fact) -> Household:
    return replace(card, assessments=(*card.assessments, *_assessments(event, fact.version)))


def _assessments(event: r.NeedsAssessed | r.AssessmentCorrected, version: int) -> list[Assessed]:
    return [Assessed(event.occurred_on, n.dimension, n.in_need, event.source, version) for n in event.needs]


def _registration_corrected(card: Household, event: r.HouseholdCorrected, _: Fact) -> Household:
    home = Home(event.occurred_on, event.village, mending.FIRST)
    homes = mending.put(card.homes, mending.FIRST, [home])
    return card if homes is card.homes else replace(card, cohort=event.cohort, homes=homes)


def _relocation_corrected(card: Household, event: r.RelocationCorrected, _: Fact) -> Household:
    if event.corrects == mending.FIRST:
        return card
    return _rehomed(card, event, recoded=False)


def _recoding_corrected(card: Household, event: recoding.RecodingCorrected, _: Fact) -> Household:
    return _rehomed(card, event, recoded=True)


def _rehomed(card: Household, event: r.RelocationCorrected | recoding.RecodingCorrected, *, recoded: bool) -> Household:
    """The home that `event` corrects, if it is of its kind."""
    was = next((home for home in card.homes if home.version == event.corrects and bool(home.was) is recoded), None)
    if was is None:
        return card
    home = replace(was, since=event.occurred_on, village=event.village)
    return replace(card, homes=mending.put(card.homes, event.corrects, [home]))


def _classification_corrected(card: Household, event: r.ClassificationCorrected, _: Fact) -> Household:
    new = Classified(event.occurred_on, event.household_class, event.corrects)
    return replace(card, classes=mending.put(card.classes, event.corrects, [new]))


def _assessment_corrected(card: Household, event: r.AssessmentCorrected, _: Fact) -> Household:
    """Every dimension anew: one that the correction leaves out was not assessed."""
    new = _assessments(event, event.corrects)
    return replace(card, assessments=mending.put(card.assessments, event.corrects, new))


def _entry_voided(card: Household, event: r.HouseholdEntryVoided, _: Fact) -> Household:
    if event.voids == mending.FIRST:
        known = any(home.version == mending.FIRST for home in card.homes)
        return Household(links=card.links, voided=event.reason) if known else card
    return replace(
        card,
        homes=mending.put(card.homes, event.voids, []),
        classes=mending.put(card.classes, event.voids, []),
        assessments=mending.put(card.assessments, event.voids, []),
    )


def _merged(card: Household, event: r.HouseholdMerged, fact: Fact) -> Household:
    return _linked(card, fact, Link(event.into, "merged", 1))


def _absorbed(card: Household, event: r.HouseholdAbsorbed, fact: Fact) -> Household:
    return _linked(card, fact, Link(event.absorbed, "absorbed", 1))


def _unmerged(card: Household, event: r.HouseholdUnmerged, fact: Fact) -> Household:
    return _linked(card, fact, Link(event.out_of, "merged", 0))


def _released(card: Household, event: r.HouseholdReleased, fact: Fact) -> Household:
    return _linked(card, fact, Link(event.released, "absorbed", 0))


def _linked(card: Household, fact: Fact, said: Link) -> Household:
    """`said.changes`: 1, they are one; 0, they are two. What is said already, or of itself, changes nothing."""
    links = {(link.other, link.end): link.changes for link in card.links}
    before = links.get((said.other, said.end), 0)
    if before % 2 == said.changes or said.other == fact.key:
        return card
    links[said.other, said.end] = before + 1
    return replace(card, links=tuple(Link(*of, changes) for of, changes in sorted(links.items())))


def _delivered(card: Household, event: i.InterventionDelivered, fact: Fact) -> Household:
    return replace(card, helps=(*card.helps, _help(event, fact.agency)))


def _help(event: i.InterventionDelivered | i.InterventionCorrected, agency: str) -> Help:
    return Help(
        intervention=event.intervention,
        on=event.occurred_on,
        item=event.item,
        dimensions=event.dimensions,
        level=event.level,
        provider=event.provider,
        agency=agency,
        fund=event.fund,
        amount_baht=event.amount_baht,
    )


def _help_corrected(card: Household, event: i.InterventionCorrected, _: Fact) -> Household:
    helps = (_help(event, h.agency) if h.intervention == event.intervention else h for h in card.helps)
    return replace(card, helps=tuple(helps))


def _help_voided(card: Household, event: i.InterventionVoided, _: Fact) -> Household:
    return replace(card, helps=tuple(h for h in card.helps if h.intervention != event.intervention))


def _exited(card: Household, event: i.CaseExited, _: Fact) -> Household:
    return replace(card, exits=(*card.exits, Exit(event.exit, event.occurred_on, event.reason)))


def _exit_corrected(card: Household, event: i.CaseExitCorrected, _: Fact) -> Household:
    new = Exit(event.exit, event.occurred_on, event.reason)
    return replace(card, exits=tuple(new if e.exit == event.exit else e for e in card.exits))


def _exit_voided(card: Household, event: i.CaseExitVoided, _: Fact) -> Household:
    return replace(card, exits=tuple(e for e in card.exits if e.exit != event.exit))


def _enrolled(_: Helper, event: p.HelperEnrolled, __: Fact) -> Helper:
    return Helper(event.helper, event.kind, event.district, event.office, event.occurred_on)


def _helper_corrected(card: Helper, event: p.HelperCorrected, _: Fact) -> Helper:
    if card.since is None:
        return card
    return Helper(event.helper, event.kind, event.district, event.office, event.occurred_on)


def _helper_voided(_: Helper, __: p.HelperVoided, ___: Fact) -> Helper:
    return Helper()


LINKS = {
    r.HouseholdMerged.type: "into",
    r.HouseholdAbsorbed.type: "absorbed",
    r.HouseholdUnmerged.type: "out_of",
    r.HouseholdReleased.type: "released",
}
"""The events that concern a second household, and how they name it. Their entries stay on a card for ever: whoever
folds it again must know with whom it was ever one."""

EVOLVE: dict[str, Callable[[Any, Any, Fact], Card]] = {
    r.HouseholdRegistered.type: _registered,
    r.HouseholdClassified.type: _classified,
    r.NeedsAssessed.type: _assessed,
    r.HouseholdRelocated.type: _relocated,
    recoding.HouseholdRecoded.type: _recoded,
    r.HouseholdMerged.type: _merged,
    r.HouseholdAbsorbed.type: _absorbed,
    r.HouseholdUnmerged.type: _unmerged,
    r.HouseholdReleased.type: _released,
    r.HouseholdCorrected.type: _registration_corrected,
    r.RelocationCorrected.type: _relocation_corrected,
    recoding.RecodingCorrected.type: _recoding_corrected,
    r.ClassificationCorrected.type: _classification_corrected,
    r.AssessmentCorrected.type: _assessment_corrected,
    r.HouseholdEntryVoided.type: _entry_voided,
    i.InterventionDelivered.type: _delivered,
    i.InterventionCorrected.type: _help_corrected,
    i.InterventionVoided.type: _help_voided,
    i.CaseExited.type: _exited,
    i.CaseExitCorrected.type: _exit_corrected,
    i.CaseExitVoided.type: _exit_voided,
    p.PairAssigned.type: pairs.assigned,
    p.PairEnded.type: pairs.ended,
    p.PairCorrected.type: pairs.corrected,
    p.PairEndCorrected.type: pairs.end_corrected,
    p.PairingEntryVoided.type: pairs.entry_voided,
    p.HelperEnrolled.type: _enrolled,
    p.HelperCorrected.type: _helper_corrected,
    p.HelperVoided.type: _helper_voided,
}
"""Type name -> what it does to a card. Every published type is here (a test says so)."""
