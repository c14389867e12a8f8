"""The catalogue of refusals: everything that is raised stands in it, in both languages, with the facts it needs."""

import ast
import string
from collections.abc import Iterator
from pathlib import Path

import pytest

from shared.errors import CATALOG

ROOT = Path(__file__).parents[2]
SOURCES = sorted(path for folder in ("shared", "services", "deploy") for path in (ROOT / folder).rglob("*.py"))


def placeholders(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


def same_in_both(names: set[str]) -> set[str]:
    """A fact that is itself a sentence comes twice: `expected` and `expected_th`."""
    return {name.removesuffix("_th") for name in names}


def refusals() -> Iterator[tuple[str, str, set[str]]]:
    """Where, code and facts, of every `Rejected("code", fact=…)` in our sources."""
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Rejected":
                facts = {keyword.arg for keyword in node.keywords if keyword.arg}
                for code in _codes(node.args[0]):
                    yield f"{path.relative_to(ROOT)}:{node.lineno}", code, facts


def _codes(argument: ast.expr) -> list[str]:
    match argument:
        case ast.Constant(value=str(code)):
            return [code]
        case ast.IfExp(body=yes, orelse=no):
            return _codes(yes) + _codes(no)
        case _:
            return []


RAISED = list(refusals())


@pytest.mark.parametrize("code", CATALOG)
def test_a_refusal_is_told_in_both_languages_with_the_same_facts(code: str) -> None:
    problem = CATALOG[code]
    thai = [letter for letter in problem.th if "\u0e01" <= letter <= "\u0e5b"]
    assert problem.en
    assert thai, "is in Thai"
    assert same_in_both(placeholders(problem.en)) == same_in_both(placeholders(problem.th))
    assert 400 <= problem.status < 600


@pytest.mark.parametrize(("where", "code", "facts"), RAISED, ids=[f"{where}-{code}" for where, code, _ in RAISED])
def test_what_is_raised_stands_in_the_catalogue_and_brings_its_facts(where: str, code: str, facts: set[str]) -> None:
    assert code in CATALOG, where
    assert placeholders(CATALOG[code].en) | placeholders(CATALOG[code].th) <= facts, where


def test_days_and_roles_are_passed_as_what_they_are() -> None:
    """Not as text: in Thai a day is of the Buddhist era, and a role a Thai word."""
    as_text = [
        f"{path.relative_to(ROOT)}:{node.lineno}"
        for path in SOURCES
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Rejected"
        for keyword in node.keywords
        if {part.attr for part in ast.walk(keyword.value) if isinstance(part, ast.Attribute)} & {"isoformat", "value"}
    ]
    assert not as_text
