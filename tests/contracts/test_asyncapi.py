"""docs/asyncapi.json is current, is AsyncAPI 3.0, and describes the records as they are."""

import json
from pathlib import Path
from typing import Any

from asyncapi3.models import AsyncAPI3
from jsonschema import Draft202012Validator

from shared.events import asyncapi, catalog
from shared.events.progress import Watermark
from shared.events.topics import TOPICS
from tests.contracts.test_golden import each_event, golden

DOCUMENT: dict[str, Any] = json.loads(asyncapi.DOCUMENT.read_text())


def valid(told: object, schema: str) -> bool:
    return bool(Draft202012Validator({**DOCUMENT, "$ref": schema}).is_valid(told))


def at(name: str, part: str) -> str:
    return f"#/components/messages/{asyncapi.key(name)}/{part}"


def references(part: object) -> list[str]:
    match part:
        case dict():
            own = [part["$ref"]] if isinstance(part.get("$ref"), str) else []
            return own + [found for inner in part.values() for found in references(inner)]
        case list():
            return [found for inner in part for found in references(inner)]
        case _:
            return []


def test_the_document_is_current() -> None:
    assert asyncapi.DOCUMENT.read_text() == asyncapi.render(), "run: python -m shared.events.asyncapi"


def test_the_document_is_asyncapi_3() -> None:
    AsyncAPI3.model_validate(DOCUMENT)


def test_every_reference_leads_somewhere() -> None:
    for reference in references(DOCUMENT):
        found: Any = DOCUMENT
        for step in reference.removeprefix("#/").split("/"):
            found = found[step]
        assert found


def test_every_topic_and_every_event_is_described() -> None:
    assert {channel["address"] for channel in DOCUMENT["channels"].values()} == {topic.name for topic in TOPICS}
    described = {name for channel in DOCUMENT["channels"].values() for name in channel["messages"]}
    assert described == {"Watermark", *(asyncapi.key(name) for name in catalog.EVENTS)}


def test_a_watermark_is_as_described() -> None:
    said = (
        '{"service":"pairing","mark":"2019-10-03T02:00:00.000000Z","offsets":{"0":7},"clock":"2019-10-03T02:00:01.5Z"}'
    )
    Watermark.model_validate_json(said)
    assert valid(json.loads(said), at("Watermark", "payload"))
    assert not valid({**json.loads(said), "mark": None}, at("Watermark", "payload"))


@each_event
def test_a_record_is_as_described(path: Path) -> None:
    name, record = golden(path)
    assert list(record["headers"]) == list(asyncapi.HEADERS)
    assert valid(record["headers"], at(name, "headers"))
    assert valid(json.loads(record["value"]), at(name, "payload"))


@each_event
def test_a_record_of_another_type_or_with_more_in_it_is_not(path: Path) -> None:
    name, record = golden(path)
    assert not valid(record["headers"] | {"ce_type": "SomethingElse.v1"}, at(name, "headers"))
    assert not valid(record["headers"] | {"ce_more": "1"}, at(name, "headers"))
    assert not valid(json.loads(record["value"]) | {"more": 1}, at(name, "payload"))
    assert not valid(json.loads(record["value"]) | {"occurred_on": None}, at(name, "payload"))
