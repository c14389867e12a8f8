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
        return {} if type(after) is not self.card else Counted(self, before).change(after)


class Counted:
    """A card of the model's kind as it counts it. Follows the card from fact to fact: each part is counted once."""

    def __init__(self, model: ReadModel, card: Card) -> None:
        self._model = model
        self._parts = model.parts(card)
        self._rows: dict[Hashable, Rows] = {}
        """Of the parts that were counted here."""

    def change(self, card: Card) -> Rows:
        """The rows by which `card` differs from the one before."""
        made: Rows = {}
        was, self._parts = self._parts, self._model.parts(card)
        for name, part in self._parts.items():
            old = was.get(name)
            if old != part:
                before = self._counted(name, old) if old is not None else {}
                self._rows[name] = self._model.cells(*part)
                made |= difference(self._rows[name], before)
        for name in was.keys() - self._parts.keys():
            made |= difference({}, self._counted(name, was[name]))
            self._rows.pop(name, None)
        return made

    def _counted(self, name: Hashable, part: tuple[Any, ...]) -> Rows:
        rows = self._rows.get(name)
        return self._model.cells(*part) if rows is None else rows
