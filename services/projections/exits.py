"""When a household left the programme, and came back. Pure.

Policy of ours: a household that exited is back from a later assessment on: any, where it had moved away or dissolved,
for then it was found at home; one that finds a need, where it was lifted out, for a visit may find that it still does
well. On one day an exit comes last, whatever else was recorded of it; of several exits, the one recorded last holds.
"""

from collections.abc import Iterable, Sequence
from datetime import date

from msgspec import Struct

from services.projections.steps import Course, at
from shared.events.codes import ExitReason

Exited = Course[ExitReason | None]
"""From which day on a household is out of the programme, and why; None: it is in it. Each exit is named, also one
while it was out."""


class Exit(Struct, frozen=True, gc=False):
    exit: str
    on: date
    reason: ExitReason


def course(exits: Sequence[Exit], assessed: Iterable[tuple[date, bool]]) -> Exited:
    """`assessed`: the day of each assessment, and whether it found a need."""
    made: list[tuple[date, ExitReason | None]] = []
    left: dict[date, ExitReason] = {exit_.on: exit_.reason for exit_ in exits}
    found = [(day, in_need) for day, in_need in assessed if day not in left]
    out: ExitReason | None = None
    for day, in_need in sorted([*found, *((day, False) for day in left)]):
        reason = left.get(day)
        if reason or (out and (in_need or out is not ExitReason.LIFTED_OUT)):
            made.append((day, reason))
            out = reason
    return made


def out(exited: Exited, day: date) -> ExitReason | None:
    return at(exited, day, None)
