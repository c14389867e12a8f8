"""Every version ever published of every event and command can still be read, and events are still written the same.

A golden file is never edited. What it takes to change an event: see CONTRIBUTING.md.
"""

import json
from pathlib import Path
from typing import Any

import pytest
from aiokafka.partitioner import DefaultPartitioner
from pydantic import BaseModel, SecretStr

from shared.events import catalog, envelope, topics
from tests.contracts.freeze import COMMANDS, GOLDEN, SCHEMAS, data_in, files

PUBLISHED = sorted([*catalog.EVENTS, *COMMANDS])
EVENT_FILES = {path.stem: path for name in catalog.EVENTS for path in files(name)}
COMMAND_FILES = {path.stem: path for name in COMMANDS for path in files(name)}

each_event = pytest.mark.parametrize("path", EVENT_FILES.values(), ids=EVENT_FILES)
each_command = pytest.mark.parametrize("path", COMMAND_FILES.values(), ids=COMMAND_FILES)


def golden(path: Path) -> tuple[str, dict[str, Any]]:
    """The type and what the file holds."""
    told: dict[str, Any] = json.loads(path.read_text())
    return path.stem.partition("+")[0], told


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
    assert sorted({path.stem.partition("+")[0] for path in GOLDEN.glob("*.json")}) == PUBLISHED
    assert sorted(path.stem for path in SCHEMAS.glob("*.json")) == PUBLISHED


@pytest.mark.parametrize("name", PUBLISHED)
def test_the_golden_files_of_a_type_have_every_part(name: str) -> None:
    fields = {**catalog.EVENTS, **COMMANDS}[name].model_fields
    assert set(fields) == {field for path in files(name) for field in data_in(path)}


@each_event
def test_an_event_is_read_and_written_again_byte_for_byte(path: Path) -> None:
    name, record = golden(path)
    value = record["value"].encode()
    assert catalog.encode(catalog.decode(name, value)) == value


@each_event
def test_so_it_is_without_any_of_its_optional_parts(path: Path) -> None:
    name, record = golden(path)
    full = json.loads(record["value"])
    for optional in [field for field, info in catalog.EVENTS[name].model_fields.items() if not info.is_required()]:
        value = json.dumps({k: v for k, v in full.items() if k != optional}, separators=(",", ":")).encode()
        assert catalog.encode(catalog.decode(name, value)) == value


@each_event
def test_its_record_carries_the_envelope_and_the_hash(path: Path) -> None:
    name, record = golden(path)
    told, digest = envelope.read(record["headers"].items())
    named = envelope.headers(told)
    assert {**dict(named), "ce_hash": digest} == record["headers"]
    assert list(record["headers"]) == [header for header, _ in named] + ["ce_hash"]
    assert envelope.chain_hash(envelope.canonical(named), record["value"].encode()) == digest
    assert (told.type, told.key) == (name, record["key"])


@each_event
def test_its_record_lies_where_kafkas_own_partitioner_puts_it(path: Path) -> None:
    name, record = golden(path)
    [service] = [service for service, events in catalog.EVENTS_OF.items() if name in events]
    everywhere = list(range(topics.PARTITIONS))
    assert record["topic"] == topics.EVENT_TOPICS[service].name
    assert record["partition"] == topics.partition_of(record["key"])
    assert record["partition"] == DefaultPartitioner()(record["key"].encode(), everywhere, everywhere)


def test_the_records_of_a_stream_are_chained() -> None:
    headers = [golden(path)[1]["headers"] for path in EVENT_FILES.values()]
    ends = {(h["ce_subject"], int(h["ce_version"]), h["ce_hash"]) for h in headers}
    for h in headers:
        before = h["ce_subject"], int(h["ce_version"]) - 1, h["ce_prevhash"]
        assert before in ends or before == (h["ce_subject"], 0, envelope.GENESIS)


@each_command
def test_a_command_is_read_whole(path: Path) -> None:
    name, told = golden(path)
    assert told["type"] == name
    assert revealed(COMMANDS[name].model_validate_json(json.dumps(told["data"]))) == told["data"]


@each_command
def test_a_command_never_prints_a_personal_detail(path: Path) -> None:
    name, told = golden(path)
    people = [told["data"], *told["data"].get("members", [])]
    personal = [p[field] for p in people for field in ("name", "citizen_id", "phone", "house_number") if field in p]
    command = COMMANDS[name].model_validate_json(json.dumps(told["data"]))
    assert not [detail for detail in personal if detail in repr(command) or detail in command.model_dump_json()]
