"""The queries of a .sql file by name."""

import re
from pathlib import Path

_QUERY = re.compile(r"^-- name: (\w+)\n(.*?)(?=^-- name:|\Z)", re.MULTILINE | re.DOTALL)


def read(file: str) -> dict[str, str]:
    """Name -> query, of a file of this folder."""
    return dict(_QUERY.findall(Path(__file__).with_name(file).read_text(encoding="utf-8")))


QUERIES = read("queries.sql")
