"""Things that change on certain days, and the signed rows that say so."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from datetime import date
from typing import TypeVar

T = TypeVar("T")
Course = Sequence[tuple[date, T]]
"""What holds from each day on, until the next; sorted by day."""
Cell = tuple[str, ...]
"""What a read model counts by; its columns are the model's."""
Row = tuple[date, *tuple[str, ...]]
"""A day, then a cell: (valid_on, *cell)."""
Rows = dict[Row, int]
"""How many more are in the cell from that day on, or packed (packing.py) in several; never zero."""


def at(course: Course[T], day: date, before: T) -> T:
    """What holds on a day; `before` where the course has not begun."""
    held = before
    for since, what in course:
        if since > day:
            break
        held = what
    return held


def rows(days: Iterable[date], cells_on: Callable[[date], frozenset[Cell]]) -> Rows:
    """`days`: every day on which `cells_on` may answer otherwise than on the day before."""
    made: Rows = {}
    before: frozenset[Cell] = frozenset()
    for day in sorted(set(days)):
        now = cells_on(day)
        if now != before:
            made.update({(day, *cell): 1 for cell in now - before})
            made.update({(day, *cell): -1 for cell in before - now})
            before = now
    return made


def in_turn(course: Iterable[tuple[date, Cell]]) -> Rows:
    """Of what is in one cell at a time: from each day on, in which. Sorted; of one day, what comes last holds."""
    made: Rows = defaultdict(int)
    before: Cell = ()
    for day, cell in course:
        if cell != before:
            if before:
                made[day, *before] -= 1
            made[day, *cell] += 1
            before = cell
    return {row: n for row, n in made.items() if n}


def add(some: Rows, more: Rows) -> Rows:
    """Of two parts: what they share is packed, and never comes to zero."""
    return some | {row: n + some.get(row, 0) for row, n in more.items()} if some else more


def difference(after: Rows, before: Rows) -> Rows:
    """What has to be added to `before` to get `after`."""
    changed = {row: n - before.get(row, 0) for row, n in after.items() if n != before.get(row, 0)}
    return changed | {row: -n for row, n in before.items() if row not in after}
