"""The queries of a .sql file by name, and several statements sent as one."""

import re
from collections.abc import Sequence
from functools import lru_cache
from itertools import accumulate, chain
from pathlib import Path
from typing import Any, NamedTuple

import asyncpg

_QUERY = re.compile(r"^-- name: (\w+)\n(.*?)(?=^-- name:|\Z)", re.MULTILINE | re.DOTALL)
_PARAMETER = re.compile(r"\$(\d+)")


def read(file: str) -> dict[str, str]:
    """Name -> query, of a file of this folder."""
    return dict(_QUERY.findall(Path(__file__).with_name(file).read_text(encoding="utf-8")))


QUERIES = read("queries.sql")


class Statement(NamedTuple):
    """What is yet to be sent."""

    query: str
    parameters: Sequence[Any] = ()

    @classmethod
    def named(cls, name: str, *parameters: Any) -> "Statement":
        return cls(QUERIES[name], parameters)


async def run(connection: asyncpg.Connection, *statements: Statement) -> Any:
    """All of them at once: each further message costs both sides more than what most of them ask for.

    They see the tables as they were before, and not what the others write: no two may write the same row. Answers the
    first value of the last one.
    """
    if not statements:
        return None
    together = _together(*((statement.query, len(statement.parameters)) for statement in statements))
    return await connection.fetchval(together, *chain.from_iterable(s.parameters for s in statements))


@lru_cache(maxsize=200)
def _together(*several: tuple[str, int]) -> str:
    """Queries, with how many parameters each, as one."""
    before = accumulate((count for _, count in several), initial=0)
    *parts, last = (_moved(query, n) for (query, _), n in zip(several, before, strict=False))
    named = ", ".join(f"part_{number} AS ({part})" for number, part in enumerate(parts))
    return f"WITH {named} {last}" if parts else last


def _moved(query: str, by: int) -> str:
    return _PARAMETER.sub(lambda found: f"${int(found[1]) + by}", query)
