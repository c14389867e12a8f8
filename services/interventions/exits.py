"""When a household left the programme, and on whose word. Pure.

The rules are policy of ours; `Verified` says after whose example. A household may leave again after it came back, so it
can have several exits, each under an id of its own.
"""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import assert_never

from shared.entries import Author, Entry, is_voided, to_change, to_correct
from shared.errors import Rejected
from shared.events.base import ExitId, Slug
from shared.events.interventions import (
    CaseExitCorrected,
    CaseExited,
    CaseExitVoided,
    CorrectExit,
    ExitCase,
    ExitCommand,
    ExitEvent,
    VoidExit,
)

Exits = Mapping[ExitId, Entry[CaseExited]]
FIELD = "data.exit"


def decide(exits: Exits, command: ExitCommand, new: ExitId, author: Author) -> list[ExitEvent]:
    """`new`: the id of an exit that the command does not name. Raises Rejected."""
    match command:
        case ExitCase():
            return _exit(exits, CaseExited(**{**command.stated(), "exit": new}))
        case CorrectExit():
            return _correct(exits, command, author)
        case VoidExit():
            return _void(exits, command, author)
        case _:
            assert_never(command)


def require_registered(events: Sequence[ExitEvent], registered: date | None) -> None:
    """Nobody leaves before they came: a wrong year says so, and the figures leave such an exit out.

    Raises Rejected before_registration.
    """
    for event in events:
        if registered and not isinstance(event, CaseExitVoided) and event.occurred_on < registered:
            raise Rejected("before_registration", field="data.occurred_on", day=registered)


def evolve(exits: Exits, event: ExitEvent, agency: Slug) -> Exits:
    entry = exits.get(event.exit)
    match event:
        case CaseExited():
            entry = Entry(event, agency)
        case CaseExitCorrected():
            entry = entry and entry.corrected(event)
        case CaseExitVoided():
            entry = entry and entry.voided_by(event)
        case _:
            assert_never(event)
    return exits if entry is None else {**exits, event.exit: entry}


def _exit(exits: Exits, event: CaseExited) -> list[ExitEvent]:
    recorded = exits.get(event.exit)
    if recorded is None:
        _check(exits, event)
        return [event]
    if not recorded.holds:
        raise Rejected("entry_voided", field=FIELD)
    if recorded.event != event:
        raise Rejected("exit_recorded_otherwise", field=FIELD)
    return []


def _correct(exits: Exits, command: CorrectExit, author: Author) -> list[ExitEvent]:
    recorded = to_correct(exits.get(command.exit), author, FIELD)
    event = CaseExitCorrected(**command.stated())
    if recorded.corrected(event) == recorded:
        return []
    _check(exits, event)
    return [event]


def _void(exits: Exits, command: VoidExit, author: Author) -> list[ExitEvent]:
    recorded = to_change(exits.get(command.exit), author, FIELD)
    if is_voided(recorded, command.occurred_on, command.reason, FIELD):
        return []
    return [CaseExitVoided(**command.stated())]


def _check(exits: Exits, event: CaseExited | CaseExitCorrected) -> None:
    """Raises Rejected verified_too_late, exited_that_day."""
    limit = event.occurred_on
    for level, day in reversed([*event.verified]):
        if day > limit:
            raise Rejected("verified_too_late", field=f"data.verified.{level}", day=limit)
        limit = day
    others = (entry for id_, entry in exits.items() if id_ != event.exit and entry.holds)
    if any(entry.event.occurred_on == event.occurred_on for entry in others):
        raise Rejected("exited_that_day", field="data.occurred_on", day=event.occurred_on)
