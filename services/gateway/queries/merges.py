"""Which household one is counted as: itself, or the one that it turned out to be."""

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple


class Merge(NamedTuple):
    survivor: str
    """The household itself, where it is not merged."""
    absorbed: list[str]
    """All that are counted as the survivor, but itself."""


def of(household: str, told: Iterable[Sequence[Any]]) -> Merge:
    """A merge holds when both ends have said so once more often than that they are two, as the projections fold it.

    `told`: the rows of merges.sql or merges_as_of.sql.
    """
    said = {(key, other, end): changes for key, other, end, changes in told}
    into: dict[str, str] = {}
    for (key, other, end), changes in sorted(said.items()):
        if end == "merged" and min(changes, said.get((other, key, "absorbed"), 0)) % 2:
            into.setdefault(key, other)
    survivor = _end(household, into)
    return Merge(survivor, [key for key in sorted(into) if key != survivor and _end(key, into) == survivor])


def _end(key: str, into: dict[str, str]) -> str:
    """Where a chain of merges ends; in a circle, which the registry refuses, at the first by name."""
    way = [key]
    while (following := into.get(way[-1])) and following not in way:
        way.append(following)
    return min(way[way.index(following) :]) if following else way[-1]
