"""Which household one is counted as: itself, or the one that it turned out to be."""

from datetime import datetime
from typing import NamedTuple

import asyncpg

from services.gateway.queries import sql

_NOW, _AS_OF = sql("merges"), sql("merges_as_of")


class Merge(NamedTuple):
    survivor: str
    """The household itself, where it is not merged."""
    absorbed: list[str]
    """All that are counted as the survivor, but itself."""


async def read(connection: asyncpg.Connection, household: str, known_at: datetime | None = None) -> Merge:
    """A merge holds when both ends have said so once more often than that they are two, as the projections fold it."""
    rows = await (connection.fetch(_AS_OF, household, known_at) if known_at else connection.fetch(_NOW, household))
    said = {(row["key"], row["other"], row["end"]): row["changes"] for row in rows}
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
