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
"""The services that decide; what a domain imports of its own service is as pure as itself."""
CONTRACT = sorted((ROOT / "shared" / "events").glob("*.py"))

PLAIN = {"collections", "dataclasses", "datetime", "decimal", "enum", "typing"}
DOMAIN_MAY_IMPORT = PLAIN | {
    "pydantic",
    "shared.entries",
    "shared.errors",
    "shared.events",
    "shared.homes",
    "shared.standing",
}
CONTRACT_MAY_IMPORT = PLAIN | {
    "functools",
    "hashlib",
    "json",
    "pathlib",
    "re",
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


def parts(domain: Path) -> set[Path]:
    """A domain's file, and those of its service that it imports, directly or through another."""
    found, new = set[Path](), {domain}
    while new:
        found |= new
        new = {other for path in new for other in own(path)} - found
    return found


def own(path: Path) -> Iterator[Path]:
    """The files of its own service that a file imports."""
    for name in imports(path):
        for file in (ROOT / Path(*name.split("."))).with_suffix(".py"), *named_in(path, name):
            if file.parent == path.parent and file.exists():
                yield file


def named_in(path: Path, package: str) -> Iterator[Path]:
    """`from package import module` names files too."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module == package:
            yield from (ROOT / Path(*package.split(".")) / f"{alias.name}.py" for alias in node.names)


FILES = sorted(part for domain in DOMAINS for part in parts(domain))


def test_the_files_beside_a_domain_are_looked_at_too() -> None:
    assert {"corrections.py", "household.py", "helpers.py", "pairs.py"} <= {path.name for path in FILES}


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}.{path.stem}")
def test_a_domain_is_pure(path: Path) -> None:
    assert foreign(path, DOMAIN_MAY_IMPORT | {f"services.{path.parent.name}"}) == []
    called = {node.attr for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Attribute)}
    assert not called & CLOCKS, "time arrives on the command"


@pytest.mark.parametrize("path", CONTRACT, ids=lambda path: path.stem)
def test_the_contract_needs_pydantic_alone(path: Path) -> None:
    assert foreign(path, CONTRACT_MAY_IMPORT) == []
