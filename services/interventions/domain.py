"""What interventions decides about the case of one household (of its exits: exits.py). Pure: no clock, no store.

Help from before the household was registered is taken too: it happened. Whether it answers an assessed need is for
the figures to say, which list it beside as "outside need".
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import assert_never

from services.interventions import exits
from services.interventions.exits import Exits
from shared.entries import Author, Entry, is_voided, to_change, to_correct
from shared.errors import Rejected
from shared.events.base import ExitId, InterventionId, Slug
from shared.events.interventions import (
    CorrectIntervention,
    ExitCommand,
    ExitEvent,
    InterventionCorrected,
    InterventionDelivered,
    InterventionsCommand,
    InterventionsEvent,
    InterventionVoided,
    RecordIntervention,
    VoidIntervention,
)
from shared.standing import Standing, require_own


@dataclass(frozen=True)
class Case:
    """The case of one household, folded from its stream."""

    delivered: Mapping[InterventionId, Entry[InterventionDelivered]] = field(default_factory=dict)
    exits: Exits = field(default_factory=dict)


START = Case()


@dataclass(frozen=True)
class Known:
    """What was looked up or made before the decision."""

    household: Standing | None
    """None: the registry has not told of it."""
    author: Author
    entry: InterventionId | ExitId
    """Of what it is about: the command's own, or a new one."""
    registered: date | None = None
    """On which day; None where `household` is."""


def decide(state: Case, command: InterventionsCommand, known: Known) -> Sequence[InterventionsEvent]:
    """The event that `command` makes true; none where it says what is so already. Raises Rejected."""
    match command:
        case RecordIntervention():
            return _record(state, command, known)
        case CorrectIntervention():
            return _correct(state, command, known)
        case VoidIntervention():
            return _void(state, command, known)
        case _:
            return _exit(state, command, known)


def evolve(state: Case, event: InterventionsEvent, agency: Slug) -> Case:
    """The state after one more event of the stream, which `agency` published."""
    if isinstance(event, ExitEvent):
        return replace(state, exits=exits.evolve(state.exits, event, agency))
    entry = state.delivered.get(event.intervention)
    match event:
        case InterventionDelivered():
            entry = Entry(event, agency)
        case InterventionCorrected():
            entry = entry and entry.corrected(event)
        case InterventionVoided():
            entry = entry and entry.voided_by(event)
        case _:
            assert_never(event)
    return state if entry is None else replace(state, delivered={**state.delivered, event.intervention: entry})


def _record(state: Case, command: RecordIntervention, known: Known) -> list[InterventionsEvent]:
    event = InterventionDelivered(**{**command.stated(), "intervention": known.entry})
    recorded = state.delivered.get(known.entry)
    if recorded is not None:
        return _again(recorded, event)
    require_own(known.household)
    return [event]


def _again(recorded: Entry[InterventionDelivered], event: InterventionDelivered) -> list[InterventionsEvent]:
    if not recorded.holds:
        raise Rejected("entry_voided", field="data.intervention")
    if recorded.event == event:
        return []
    raise Rejected("intervention_recorded_otherwise", field="data.intervention")


def _correct(state: Case, command: CorrectIntervention, known: Known) -> list[InterventionsEvent]:
    recorded = to_correct(state.delivered.get(command.intervention), known.author, "data.intervention")
    event = InterventionCorrected(**command.stated())
    if recorded.corrected(event) == recorded:
        return []
    require_own(known.household)
    return [event]


def _void(state: Case, command: VoidIntervention, known: Known) -> list[InterventionsEvent]:
    recorded = to_change(state.delivered.get(command.intervention), known.author, "data.intervention")
    if is_voided(recorded, command.occurred_on, command.reason, "data.intervention"):
        return []
    require_own(known.household)
    return [InterventionVoided(**command.stated())]


def _exit(state: Case, command: ExitCommand, known: Known) -> Sequence[InterventionsEvent]:
    decided = exits.decide(state.exits, command, known.entry, known.author)
    if decided:
        require_own(known.household)
        exits.require_registered(decided, known.registered)
    return decided
