"""A published type may gain an optional field or a word in a code list. Anything else is a new version.

The schemas under golden/schemas are those of the day when the type was first published; they are never edited.
"""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from shared.events import catalog
from tests.contracts.freeze import COMMANDS, SCHEMAS

TYPES = {**catalog.EVENTS, **COMMANDS}
WORDS_FOR_PEOPLE = {"title", "description"}


def breaks(old: Any, new: Any, at: str = "") -> Iterator[str]:
    """Where `new` no longer takes, or no longer makes, what `old` did."""
    if not (isinstance(old, dict) and isinstance(new, dict)):
        if old != new:
            yield at
        return
    if set(old.get("required", [])) != set(new.get("required", [])):
        yield f"{at}/required"
    if not set(old.get("enum", [])) <= set(new.get("enum", [])):
        yield f"{at}/enum"
    open_ended = at.endswith(("/properties", "/$defs"))
    names = set(old) if open_ended else set(old) | set(new) - {"$defs"}
    for name in sorted(names if open_ended else names - WORDS_FOR_PEOPLE - {"required", "enum"}):
        yield from breaks(old.get(name), new.get(name), f"{at}/{name}")


@pytest.mark.parametrize("name", TYPES)
def test_a_published_type_keeps_its_promise(name: str) -> None:
    published = json.loads((SCHEMAS / f"{name}.json").read_text())
    assert list(breaks(published, TYPES[name].model_json_schema())) == []


TEXT, MAYBE = {"type": "string"}, {"anyOf": [{"type": "string"}, {"type": "null"}], "default": None}
OLD = {
    "properties": {"a": TEXT, "kind": {"$ref": "#/$defs/Kind"}},
    "required": ["a"],
    "$defs": {"Kind": {"enum": ["x"]}},
}


@pytest.mark.parametrize(
    ("change", "seen"),
    [
        pytest.param({"description": "said better"}, [], id="words for people"),
        pytest.param({"properties": OLD["properties"] | {"b": MAYBE}}, [], id="an optional field more"),  # type: ignore[operator]
        pytest.param({"$defs": {"Kind": {"enum": ["x", "y"]}}}, [], id="a word more"),
        pytest.param({"$defs": {"Kind": {"enum": ["y"]}}}, ["/$defs/Kind/enum"], id="a word fewer"),
        pytest.param({"required": ["a", "b"]}, ["/required"], id="a field that must be given"),
        pytest.param({"required": []}, ["/required"], id="a field that need not be given"),
        pytest.param({"properties": {"a": TEXT}}, ["/properties/kind"], id="a field fewer"),
        pytest.param(
            {"properties": OLD["properties"] | {"a": {"type": "integer"}}},  # type: ignore[operator]
            ["/properties/a/type"],
            id="another type",
        ),
        pytest.param(
            {"properties": OLD["properties"] | {"a": TEXT | {"maxLength": 9}}},  # type: ignore[operator]
            ["/properties/a/maxLength"],
            id="a new limit",
        ),
    ],
)
def test_what_counts_as_a_break(change: dict[str, object], seen: list[str]) -> None:
    assert list(breaks(OLD, OLD | change)) == seen
