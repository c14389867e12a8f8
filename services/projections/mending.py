"""Entries of a card, replaced or taken out by the version of the event that made them."""

from collections.abc import Sequence
from typing import Protocol, TypeVar

FIRST = 1
"""The version of a registration, always."""


class Entry(Protocol):
    @property
    def version(self) -> int: ...


E = TypeVar("E", bound=Entry)


def put(entries: tuple[E, ...], version: int, new: Sequence[E]) -> tuple[E, ...]:
    """`new` in the place of the entries that `version` made; the same tuple where it made none."""
    places = [n for n, entry in enumerate(entries) if entry.version == version]
    if not places:
        return entries
    others = [entry for entry in entries[places[0] :] if entry.version != version]
    return (*entries[: places[0]], *new, *others)
