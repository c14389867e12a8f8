"""The queries of queries.sql by name, and rows turned into the arrays that `unnest` takes."""

import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

_TEXT = Path(__file__).with_name("queries.sql").read_text(encoding="utf-8")
QUERIES: dict[str, str] = dict(re.findall(r"^-- name: (\w+)\n(.*?)(?=^-- name:|\Z)", _TEXT, re.MULTILINE | re.DOTALL))


def columns(rows: Iterable[Sequence[Any]]) -> list[Sequence[Any]]:
    """One array a column. There must be a row."""
    return list(zip(*rows, strict=True))
