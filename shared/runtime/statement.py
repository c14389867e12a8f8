"""One statement put together from parts that know nothing of each other.

What a small transaction costs is above all how often it goes to the server and back.
"""

import re
from collections.abc import Mapping, Sequence, Set
from functools import lru_cache
from typing import Any, cast

import asyncpg

Told = Mapping[str, Sequence[Any]]
"""The rows of each part, by its name."""

_PLACE, _TEXTS = re.compile(r"\$(\d+)"), re.compile(r"\$(\d+)::text\[\]")
_BEFORE, _NULL = chr(31), chr(30)
"""Stand before a text, and for none."""
_SPLIT = r"(string_to_array($\1::text, chr(31), chr(30)))[2:]"


class Statement:
    """Asks PostgreSQL once for all that was added. Each part sees the tables as they were when the statement began,
    apart from rows that it locks FOR UPDATE (PostgreSQL 13.2.1), and nothing that another part writes (7.8.4)."""

    def __init__(self, connection: asyncpg.Connection) -> None:
        self.connection = connection
        self.told: Told = {}
        """What `read` found."""
        self._parts: dict[str, str] = {}
        self._last: dict[str, str] = {}
        self._values: list[object] = []

    def add(self, name: str, sql: str, *values: object) -> None:
        """`sql` counts its `values` from $1. What writes may select from an earlier part that ends in RETURNING."""
        self._parts[name] = counted_from(len(self._values), sql)
        self._values += values

    def end_with(self, name: str, sql: str) -> None:
        """A part of what is read, behind all the others: their locks are held by then."""
        self._last[name] = sql

    async def read(self) -> Told:
        """For parts that are SELECTs. Those that lock do so in the order in which they were added."""
        if every := self._parts | self._last:
            parts = (f"ARRAY(SELECT {name} FROM ({sql}) AS {name}) AS {name}" for name, sql in every.items())  # noqa: S608
            query, values = joined("SELECT " + ", ".join(parts), self._values)
            self.told = await self.connection.fetchrow(query, *values)
        return self.told

    async def write(self) -> None:
        if self._parts:
            parts = (f"{name} AS ({sql})" for name, sql in self._parts.items())
            query, values = joined(f"WITH {', '.join(parts)} SELECT", self._values)
            await self.connection.execute(query, *values)


@lru_cache(maxsize=1_000)
def counted_from(before: int, sql: str) -> str:
    """`sql`, whose values count from $1, behind so many other values."""
    return _PLACE.sub(lambda place: f"${before + int(place[1])}", sql)


def joined(sql: str, values: Sequence[Any]) -> tuple[str, Sequence[Any]]:
    """Both with each `$n::text[]` as one text: of an array, asyncpg looks at each element, which costs ten times as
    much.

    Raises ValueError for a text that holds what stands between them; no field of an event can.
    """
    sql, texts = _split(sql)
    return sql, [_one_text(value) if place in texts else value for place, value in enumerate(values)]


@lru_cache(maxsize=1_000)
def _split(sql: str) -> tuple[str, Set[int]]:
    return _TEXTS.sub(_SPLIT, sql), {int(place) - 1 for place in _TEXTS.findall(sql)}


def _one_text(texts: Sequence[str | None]) -> str:
    try:
        told = _BEFORE.join(("", *cast(Sequence[str], texts)))
    except TypeError:
        told = _BEFORE.join(("", *(_NULL if text is None else text for text in texts)))
    if told.count(_BEFORE) != len(texts):
        raise ValueError("a text with a control character")
    return told
