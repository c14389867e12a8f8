"""What a read model is: a pure function from a card to signed rows, and the names of its tables' columns."""

from collections.abc import Callable, Hashable, Iterable, Mapping
from dataclasses import dataclass
from operator import attrgetter
from typing import Any

from services.projections.card import Card
from services.projections.packing import Packing
from services.projections.steps import Rows, add, difference

Touched = Callable[[Any, Any], Iterable[Hashable]]
"""Of a card before and after a fact: the names of the parts whose rows may differ."""


def whole(*fields: str) -> Touched:
    """Of a model that counts a card in one piece and looks at these fields of it."""
    seen = attrgetter(*fields)
    return lambda before, after: () if seen(before) == seen(after) else (None,)


@dataclass(frozen=True)
class ReadModel:
    """Its tables are `<name>_ledger` and `<name>_rollup`; the engine writes them, and the model never sees them.

    A card falls into parts that can be counted apart and share no cell, so that a fact costs only the parts that it
    touches.
    """

    name: str
    card: type[Card]
    columns: tuple[str, ...]
    """Of a cell, in the order of a row's parts behind `valid_on`; all of type text."""
    touched: Touched
    cells: Callable[[Any, Any], Rows]
    """The rows of one part of a card, by its name."""
    packing: Packing | None = None
    """Where one fact changes many cells of a place: then the rows are packed."""

    @property
    def changes(self) -> str:
        """What can be read like a ledger with every column."""
        return f"{self.name}_{'changes' if self.packing else 'ledger'}"

    def rows(self, card: Card) -> Rows:
        """All rows of a card."""
        return self.change(self.card(), card)

    def unpacked(self, counts: Mapping[Any, int]) -> Mapping[Any, int]:
        """Rows, or sums, by all of the model's columns."""
        return self.packing.unpacked(counts) if self.packing else counts

    def change(self, before: Card, after: Card) -> Rows:
        """The rows by which `after` differs from `before`."""
        return {} if type(after) is not self.card else Counted(self, before).change(after)


class Counted:
    """A card of the model's kind as it counts it. Follows the card from fact to fact: each part is counted once."""

    def __init__(self, model: ReadModel, card: Card) -> None:
        self._model, self._card = model, card
        self._rows: dict[Hashable, Rows] = {}
        """Of the parts that were counted here."""

    def change(self, card: Card) -> Rows:
        """The rows by which `card` differs from the one before."""
        made: Rows = {}
        cells, before, self._card = self._model.cells, self._card, card
        for name in self._model.touched(before, card):
            held = self._rows.get(name)
            if held is None:
                held = cells(before, name)
            self._rows[name] = now = cells(card, name)
            made = add(made, difference(now, held))
        return made
