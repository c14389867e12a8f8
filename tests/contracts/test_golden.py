"""Every version ever published of every event and command can still be read, and events are still written the same.

A golden file is never edited. What it takes to change an event: see CONTRIBUTING.md.
"""

import json
from itertools import pairwise
from typing import Any

import pytest
from aiokafka.partitioner import DefaultPartitioner
from pydantic import BaseModel, SecretStr

from shared.events import catalog, envelope, topics
from tests.contracts.freeze import COMMANDS, GOLDEN, SCHEMAS

PUBLISHED = sorted([*catalog.EVENTS, *COMMANDS])


def golden(name: str) -> dict[str, Any]:
    told: dict[str, Any] = json.loads((GOLDEN / f"{name}.json").read_text())
    return told


def revealed(model: object) -> object:
    """What was sent, for comparison: only the fields that were given, personal ones in clear."""
    match model:
        case BaseModel():
            return {name: revealed(getattr(model, name)) for name in model.model_fields_set}
        case SecretStr():
            return model.get_secret_value()
        case tuple():
            return [revealed(part) for part in model]
        case bool() | int():
            return model
        case _:
            return str(model)


def test_every_type_has_a_golden_file_and_a_schema() -> None:
    assert sorted(path.stem for path in GOLDEN.glob("*.json")) == PUBLISHED
    assert sorted(path.stem for path in SCHEMAS.glob("*.json")) == PUBLISHED


@pytest.mark.parametrize("name", catalog.EVENTS)
def test_an_event_is_read_and_written_again_byte_for_byte(name: str) -> None:
    value = golden(name)["value"].encode()
    assert catalog.encode(catalog.decode(name, value)) == value


@pytest.mark.parametrize("name", catalog.EVENTS)
def test_so_it_is_without_any_of_its_optional_parts(name: str) -> None:
    full = json.loads(golden(name)["value"])
    for optional in [field for field, info in catalog.EVENTS[name].model_fields.items() if not info.is_required()]:
        assert optional in full, "a golden event has every part"
        value = json.dumps({k: v for k, v in full.items() if k != optional}, separators=(",", ":")).encode()
        assert catalog.encode(catalog.decode(name, value)) == value


@pytest.mark.parametrize("name", catalog.EVENTS)
def test_its_record_carries_the_envelope_and_the_hash(name: str) -> None:
    record = golden(name)
    told, digest = envelope.read(record["headers"].items())
    named = envelope.headers(told)
    assert {**dict(named), "ce_hash": digest} == record["headers"]
    assert list(record["headers"]) == [header for header, _ in named] + ["ce_hash"]
    assert envelope.chain_hash(envelope.canonical(named), record["value"].encode()) == digest
    assert (told.type, told.key) == (name, record["key"])


@pytest.mark.parametrize("name", catalog.EVENTS)
def test_its_record_lies_where_kafkas_own_partitioner_puts_it(name: str) -> None:
    record = golden(name)
    everywhere = list(range(topics.PARTITIONS))
    assert record["topic"] in {topic.name for topic in topics.EVENT_TOPICS.values()}
    assert record["partition"] == topics.partition_of(record["key"])
    assert record["partition"] == DefaultPartitioner()(record["key"].encode(), everywhere, everywhere)


def test_the_records_of_a_stream_are_chained() -> None:
    headers = sorted(
        (golden(name)["headers"] for name in catalog.EVENTS), key=lambda h: (h["ce_subject"], int(h["ce_version"]))
    )
    for before, after in pairwise(headers):
        if before["ce_subject"] == after["ce_subject"]:
            assert after["ce_prevhash"] == before["ce_hash"]
    assert {h["ce_prevhash"] for h in headers if h["ce_version"] == "1"} == {envelope.GENESIS}


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_is_read_whole(name: str) -> None:
    told = golden(name)
    assert told["type"] == name
    command = COMMANDS[name].model_validate_json(json.dumps(told["data"]))
    assert revealed(command) == told["data"]
    assert set(COMMANDS[name].model_fields) == command.model_fields_set, "a golden command has every part"


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_never_prints_a_personal_detail(name: str) -> None:
    data = golden(name)["data"]
    people = [data, *data.get("members", [])]
    personal = [p[field] for p in people for field in ("name", "citizen_id", "phone", "house_number") if field in p]
    command = COMMANDS[name].model_validate_json(json.dumps(data))
    assert not [detail for detail in personal if detail in repr(command) or detail in command.model_dump_json()]
