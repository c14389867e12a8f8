"""The queries of a .sql file by name, and several statements sent as one."""

import re
from collections.abc import Sequence
from functools import lru_cache
from itertools import accumulate, chain
from pathlib import Path
from typing import Any, NamedTuple

import asyncpg

from shared.runtime.statement import counted_from, joined

_QUERY = re.compile(r"^-- name: (\w+)\n(.*?)(?=^-- name:|\Z)", re.MULTILINE | re.DOTALL)


def read(file: str) -> dict[str, str]:
    """Name -> query, of a file of this folder."""
    return dict(_QUERY.findall(Path(__file__).with_name(file).read_text(encoding="utf-8")))


QUERIES = read("queries.sql")


class Part(NamedTuple):
    """Of a statement that is yet to be sent."""

    query: str
    parameters: Sequence[Any] = ()

    @classmethod
    def named(cls, name: str, *parameters: Any) -> "Part":
        return cls(QUERIES[name], parameters)


async def run(connection: asyncpg.Connection, *parts: Part) -> Any:
    """All of them at once: each further message costs both sides more than what most of them ask for.

    They see the tables as they were before, and not what the others write: no two may write the same row. The server
    takes them in one order each time, so that two transactions do not wait for each other. Answers the
    first value of the last one.
    """
    if not parts:
        return None
    together = _together(*((part.query, len(part.parameters)) for part in parts))
    query, values = joined(together, list(chain.from_iterable(part.parameters for part in parts)))
    return await connection.fetchval(query, *values)


@lru_cache(maxsize=200)
def _together(*several: tuple[str, int]) -> str:
    """Queries, with how many parameters each, as one."""
    before = accumulate((count for _, count in several), initial=0)
    *first, last = (counted_from(n, query) for (query, _), n in zip(several, before, strict=False))
    named = ", ".join(f"part_{number} AS ({part})" for number, part in enumerate(first))
    return f"WITH {named} {last}" if first else last
