"""What a read model is: a pure function from a card to signed rows, and the names of its tables' columns."""

from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass
from typing import Any

from services.projections.card import Card
from services.projections.steps import Rows, difference

Parts = Mapping[Hashable, tuple[Any, ...]]
"""Name of a part -> all that its rows depend on. Parts share no row."""


@dataclass(frozen=True)
class ReadModel:
    """Its tables are `<name>_ledger` and `<name>_rollup`; the engine writes them, and the model never sees them.

    A card falls into parts that can be counted apart, so that a fact costs only the parts that it changes.
    """

    name: str
    card: type[Card]
    columns: tuple[str, ...]
    """Of a cell, in the order of a row's parts behind `valid_on`; all of type text."""
    parts: Callable[[Any], Parts]
    cells: Callable[..., Rows]
    """The rows of one part, of what `parts` says of it."""

    def rows(self, card: Card) -> Rows:
        """All rows of a card."""
        made: Rows = {}
        for part in self.parts(card).values() if type(card) is self.card else ():
            made |= self.cells(*part)
        return made

    def change(self, before: Card, after: Card) -> Rows:
        """The rows by which `after` differs from `before`."""
        if type(after) is not self.card:
            return {}
        made: Rows = {}
        was = self.parts(before)
        for name, part in self.parts(after).items():
            old = was.get(name)
            if old != part:
                made |= difference(self.cells(*part), self.cells(*old) if old is not None else {})
        return made
