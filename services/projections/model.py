"""What a read model is: one pure function from a card to signed rows, and the names of its tables' columns."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from services.projections.card import Card
from services.projections.steps import Rows, difference


@dataclass(frozen=True)
class ReadModel:
    """Its tables are `<name>_ledger` and `<name>_rollup`; the engine writes them, and the model never sees them."""

    name: str
    card: type[Card]
    columns: tuple[str, ...]
    """Of a cell, in the order of a row's parts behind `valid_on`; all of type text."""
    reads: tuple[str, ...]
    """The fields of the card that `cells` looks at: where they are the same, so are the rows."""
    cells: Callable[[Any], Rows]

    def change(self, before: Card, after: Card) -> Rows:
        """The rows by which `after` differs from `before`."""
        if not isinstance(after, self.card) or all(getattr(before, f) is getattr(after, f) for f in self.reads):
            return {}
        return difference(self.cells(after), self.cells(before))
