"""What one fact changed from one day on in one place, as one row of a ledger, though it counts in many cells there."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from operator import itemgetter

from services.projections.facts import Fact
from services.projections.steps import Cell, Row

Moves = list[int]
"""Numbers of what is counted: above zero, one more; below, one less; twice, where it is by two. Sorted."""


@dataclass(frozen=True, eq=False)
class Packing:
    """Columns of a model for which its ledger has one, `moves`. The view `<name>_changes` reads them out of it."""

    model: tuple[str, ...]
    """All of its columns."""
    columns: tuple[str, ...]
    """Those."""
    numbers: Mapping[Cell, int]
    """What can stand in them -> its number, above zero, for good."""

    @cached_property
    def kept(self) -> tuple[str, ...]:
        return tuple(name for name in self.model if name not in self.columns)

    def rows(self, changes: Iterable[tuple[Fact, Row, int]]) -> list[tuple[Fact, Row, Moves]]:
        """With the kept part of each row."""
        kept, packed = self._parts
        found: dict[tuple[object, ...], tuple[Fact, Row, Moves]] = {}
        for fact, row, delta in changes:
            number, place = self.numbers[packed(row)], kept(row)
            _, _, moves = found.setdefault((fact.order, place), (fact, place, []))
            moves += [number if delta > 0 else -number] * abs(delta)
        for _, _, moves in found.values():
            moves.sort()
        return list(found.values())

    @cached_property
    def _parts(self) -> tuple[Callable[[Row], Row], Callable[[Row], Cell]]:
        """Of a row: `valid_on` and the kept columns, and the others."""
        places = {name: n for n, name in enumerate(self.model, start=1)}
        return itemgetter(0, *map(places.__getitem__, self.kept)), itemgetter(*map(places.__getitem__, self.columns))


def literal(moves: Sequence[int]) -> str:
    """As PostgreSQL reads an array."""
    return f"{{{','.join(map(str, moves))}}}"
