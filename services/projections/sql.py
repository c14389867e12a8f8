"""The queries of a .sql file by name, and several statements sent as one."""

import re
from collections.abc import Sequence
from functools import lru_cache
from itertools import accumulate, chain
from pathlib import Path
from typing import Any, NamedTuple, cast

import asyncpg

from shared.runtime.statement import counted_from

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
    query, texts = _together(*((part.query, len(part.parameters)) for part in parts))
    values = list(chain.from_iterable(part.parameters for part in parts))
    for place in texts:
        values[place] = _joined(values[place])
    return await connection.fetchval(query, *values)


_TEXTS = re.compile(r"\$(\d+)::text\[\]")
_BEFORE, _NULL = chr(31), chr(30)
"""Stand before a text, and for none."""
_SPLIT = r"(string_to_array($\1::text, chr(31), chr(30)))[2:]"


@lru_cache(maxsize=200)
def _together(*several: tuple[str, int]) -> tuple[str, tuple[int, ...]]:
    """Queries, with how many parameters each, as one; and which parameters it takes joined."""
    before = accumulate((count for _, count in several), initial=0)
    *first, last = (counted_from(n, query) for (query, _), n in zip(several, before, strict=False))
    named = ", ".join(f"part_{number} AS ({part})" for number, part in enumerate(first))
    together = f"WITH {named} {last}" if first else last
    return _TEXTS.sub(_SPLIT, together), tuple({int(place) - 1 for place in _TEXTS.findall(together)})


def _joined(texts: Sequence[str | None]) -> str:
    """An array as one text: of an array, asyncpg looks at each element, which costs ten times as much.

    Raises ValueError for a text that holds what stands between them; no field of an event can.
    """
    try:
        joined = _BEFORE.join(("", *cast(Sequence[str], texts)))
    except TypeError:
        joined = _BEFORE.join(("", *(_NULL if text is None else text for text in texts)))
    if joined.count(_BEFORE) != len(texts):
        raise ValueError("a text with a control character")
    return joined
