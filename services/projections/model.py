"""What a read model is: a pure function from a card to signed rows, and the names of its tables' columns."""

from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass
from functools import cached_property
from operator import attrgetter
from typing import Any

from services.projections.card import Card
from services.projections.packing import Packing
from services.projections.steps import Rows, add, difference

Parts = Mapping[Hashable, tuple[Any, ...]]
"""Name of a part -> all that its rows depend on. Parts share no cell."""


@dataclass(frozen=True)
class ReadModel:
    """Its tables are `<name>_ledger` and `<name>_rollup`; the engine writes them, and the model never sees them.

    A card falls into parts that can be counted apart, so that a fact costs only the parts that it changes.
    """

    name: str
    card: type[Card]
    columns: tuple[str, ...]
    """Of a cell, in the order of a row's parts behind `valid_on`; all of type text."""
    fields: tuple[str, ...]
    """Of a card: what the rows depend on. A fact that changes none of these costs nothing here."""
    parts: Callable[[Any], Parts]
    cells: Callable[..., Rows]
    """The rows of one part, of what `parts` says of it."""
    packing: Packing | None = None
    """Where one fact changes many cells of a place: then the rows are packed."""

    @cached_property
    def seen(self) -> Callable[[Card], Any]:
        """The fields' values."""
        return attrgetter(*self.fields)

    @property
    def changes(self) -> str:
        """What can be read like a ledger with every column."""
        return f"{self.name}_{'changes' if self.packing else 'ledger'}"

    def rows(self, card: Card) -> Rows:
        """All rows of a card."""
        made: Rows = {}
        for part in self.parts(card).values() if type(card) is self.card else ():
            made = add(made, self.cells(*part))
        return made

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
        self._parts: Parts | None = None
        """Of that card, once they were asked for."""
        self._rows: dict[Hashable, Rows] = {}
        """Of the parts that were counted here."""

    def change(self, card: Card) -> Rows:
        """The rows by which `card` differs from the one before."""
        made: Rows = {}
        model, before, self._card = self._model, self._card, card
        if model.seen(before) == model.seen(card):
            return made
        was = model.parts(before) if self._parts is None else self._parts
        self._parts = now = model.parts(card)
        for name, part in now.items():
            old = was.get(name)
            if old != part:
                counted = self._counted(name, old) if old is not None else {}
                self._rows[name] = model.cells(*part)
                made = add(made, difference(self._rows[name], counted))
        for name in was.keys() - now.keys():
            made = add(made, difference({}, self._counted(name, was[name])))
            self._rows.pop(name, None)
        return made

    def _counted(self, name: Hashable, part: tuple[Any, ...]) -> Rows:
        rows = self._rows.get(name)
        return self._model.cells(*part) if rows is None else rows
