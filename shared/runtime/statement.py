"""One statement put together from parts that know nothing of each other.

What a small transaction costs is above all how often it goes to the server and back.
"""

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

import asyncpg

Told = Mapping[str, Sequence[Any]]
"""The rows of each part, by its name."""

_PLACE = re.compile(r"\$(\d+)")


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
            self.told = await self.connection.fetchrow("SELECT " + ", ".join(parts), *self._values)
        return self.told

    async def write(self) -> None:
        if self._parts:
            parts = (f"{name} AS ({sql})" for name, sql in self._parts.items())
            await self.connection.execute(f"WITH {', '.join(parts)} SELECT", *self._values)


@lru_cache(maxsize=1_000)
def counted_from(before: int, sql: str) -> str:
    """`sql`, whose values count from $1, behind so many other values."""
    return _PLACE.sub(lambda place: f"${before + int(place[1])}", sql)
