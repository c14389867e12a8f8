"""The queries of a .sql file by name, and rows turned into the arrays that `unnest` takes."""

import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

_QUERY = re.compile(r"^-- name: (\w+)\n(.*?)(?=^-- name:|\Z)", re.MULTILINE | re.DOTALL)


def read(file: str) -> dict[str, str]:
    """Name -> query, of a file of this folder."""
    return dict(_QUERY.findall(Path(__file__).with_name(file).read_text(encoding="utf-8")))


QUERIES = read("queries.sql")


def columns(rows: Iterable[Sequence[Any]]) -> list[Sequence[Any]]:
    """One array a column. There must be a row."""
    return list(zip(*rows, strict=True))
