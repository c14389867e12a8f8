"""A domain decides and does nothing else: what it may import is a short list, and it asks no clock.

The rules between our own packages are import-linter's, in pyproject.toml; it has no kind of contract for a list like
this one.
"""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DOMAINS = sorted((ROOT / "services").glob("*/domain.py"))
CONTRACT = sorted((ROOT / "shared" / "events").glob("*.py"))

PLAIN = {"collections", "dataclasses", "datetime", "decimal", "enum", "typing"}
DOMAIN_MAY_IMPORT = PLAIN | {"pydantic", "shared.errors", "shared.events"}
CONTRACT_MAY_IMPORT = PLAIN | {
    "hashlib",
    "json",
    "pathlib",
    "unicodedata",
    "pydantic",
    "pydantic_core",
    "shared.events",
}

CLOCKS = {"now", "utcnow", "today"}


def imports(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        match node:
            case ast.Import(names=names):
                yield from (alias.name for alias in names)
            case ast.ImportFrom(module=str(module)):
                yield module


def foreign(path: Path, allowed: set[str]) -> list[str]:
    return [name for name in imports(path) if not any(f"{name}.".startswith(f"{may}.") for may in allowed)]


def test_the_three_domains_are_looked_at() -> None:
    assert {path.parent.name for path in DOMAINS} >= {"registry", "pairing", "interventions"}


@pytest.mark.parametrize("path", DOMAINS, ids=lambda path: path.parent.name)
def test_a_domain_is_pure(path: Path) -> None:
    assert foreign(path, DOMAIN_MAY_IMPORT) == []
    called = {node.attr for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Attribute)}
    assert not called & CLOCKS, "time arrives on the command"


@pytest.mark.parametrize("path", CONTRACT, ids=lambda path: path.stem)
def test_the_contract_needs_pydantic_alone(path: Path) -> None:
    assert foreign(path, CONTRACT_MAY_IMPORT) == []
