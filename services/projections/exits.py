"""When a household left the programme, and came back. Pure.

Policy of ours: a household that exited is back from a later assessment on: any, where it had moved away or dissolved,
for then it was found at home; one that finds a need, where it was lifted out, for a visit may find that it still does
well. On one day an exit comes last, whatever else was recorded of it; of several exits, the one recorded last holds.
An exit changes nothing while the household is out already, nor one of a day before that of its registration, which
found it there after all.
"""

from collections.abc import Iterable, Sequence
from datetime import date

from msgspec import Struct

from services.projections.steps import Course, at
from shared.events.codes import ExitReason

Exited = Course[ExitReason | None]
"""From which day on a household is out of the programme, and why; None: it is in it."""


class Exit(Struct, frozen=True, gc=False):
    exit: str
    on: date
    reason: ExitReason


def course(exits: Sequence[Exit], assessed: Iterable[tuple[date, bool]], registered: date) -> Exited:
    """`assessed`: the day of each assessment, and whether it found a need."""
    left = {exit_.on: exit_.reason for exit_ in exits if exit_.on >= registered}
    found: dict[date, bool] = {}
    for day, in_need in assessed:
        found[day] = found.get(day, False) or in_need
    made: list[tuple[date, ExitReason | None]] = []
    out: ExitReason | None = None
    for day in sorted(left.keys() | found.keys()):
        back = out and day in found and (found[day] or out is not ExitReason.LIFTED_OUT)
        if day in left and (back or not out):
            out = left[day]
            made.append((day, out))
        elif back:
            out = None
            made.append((day, out))
    return made


def out(exited: Exited, day: date) -> ExitReason | None:
    return at(exited, day, None)
