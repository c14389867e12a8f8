"""What one fact changed in one place from one day on, as one number, though it counts in many cells there.

Each of these cells has a digit of that number, in base 2 ** 32 and with a sign: so the counts of all of them are added,
subtracted and compared at once, as one count is.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from operator import itemgetter
from typing import Any

from services.projections.steps import Cell

BITS = 32
"""Of a digit: no cell counts 2 ** 31 households."""
_BASE, _HALF = 1 << BITS, 1 << BITS - 1

Moves = tuple[int, ...]
"""A packed count as a ledger stores it: the numbers of its cells, below zero where there is one household less, and
twice where it is by two. Sorted."""


@dataclass(frozen=True, eq=False)
class Packing:
    """Columns of a model that its rows do not have: their deltas are packed. The model's ledger has the column `moves`
    instead, and the view `<name>_changes` reads the columns out of it."""

    model: tuple[str, ...]
    """All of its columns."""
    columns: tuple[str, ...]
    """Those."""
    numbers: Mapping[Cell, int]
    """What can stand in them -> its number, above zero, for good."""

    @cached_property
    def kept(self) -> tuple[str, ...]:
        return tuple(name for name in self.model if name not in self.columns)

    @cached_property
    def _cells(self) -> Mapping[int, Cell]:
        return {number: cell for cell, number in self.numbers.items()}

    @cached_property
    def _in_order(self) -> Any:
        """Of what a row begins with, its kept columns, and the others: with the columns in the model's order."""
        names = (*self.kept, *self.columns)
        return itemgetter(0, *(names.index(name) + 1 for name in self.model))

    def unpacked(self, counts: Mapping[Any, int]) -> dict[Any, int]:
        """The same counts by every column. A key begins with one thing more, such as the day."""
        cells, in_order = self._cells, self._in_order
        return {in_order((*key, *cells[number])): n for key, packed in counts.items() for number, n in digits(packed)}


def unit(number: int) -> int:
    """One household more in the cell of that number."""
    return 1 << BITS * (number - 1)


def digits(packed: int) -> Iterator[tuple[int, int]]:
    """Number of a cell, and how many more are in it; of those that change."""
    number = 1
    while packed:
        zeros = ((packed & -packed).bit_length() - 1) // BITS
        packed >>= zeros * BITS
        n = (packed + _HALF) % _BASE - _HALF
        yield number + zeros, n
        packed = packed - n >> BITS
        number += zeros + 1


@lru_cache(maxsize=10_000)
def moves(packed: int) -> Moves:
    """Most facts change the same few sets of cells."""
    return tuple(sorted(number if n > 0 else -number for number, n in digits(packed) for _ in range(abs(n))))


def of_moves(moved: Iterable[int]) -> int:
    return sum(unit(move) if move > 0 else -unit(-move) for move in moved)


@lru_cache(maxsize=10_000)
def literal(packed: int) -> str:
    """The moves as PostgreSQL reads an array."""
    return f"{{{','.join(map(str, moves(packed)))}}}"
