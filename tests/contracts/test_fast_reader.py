"""The projections' fast reader against the contract: what it takes, pydantic takes too, with the same values."""

import copy
import json
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, ValidationError

from services.projections import reader
from services.projections.decode import read
from services.projections.facts import Arrived
from services.projections.reader import fast, names_once, readers
from shared.events.base import Event
from shared.events.catalog import EVENTS
from tests.support.log import Record

GOLDEN = Path(__file__).parent / "golden"
IDS = [
    "hh_" + "0" * 20,
    "hp_" + "0" * 20,
    "hh_" + "0" * 20 + "\n",
    "hh_" + "0" * 19,
    "HH_" + "0" * 20,
    "pr_" + "a" * 20,
]
NUMBERS = [0, 1, -1, 1.0, 1.5, 1e400, 100_000, 100_001, True, 10**13, "12.345", "1_0", " 1", "1e2", "NaN", "-0", "0.10"]
DATES = ["2019-10-01", "2562-10-01", "1899-12-31", "2019-02-29", "2019-10-01T00:00:00", "20191001", 1569888000]
WORDS = [
    "",
    "a",
    "cdd-4001",
    "-a",
    "ก",
    "๔๐๑๙",
    "4019",
    "4019\n",
    "40190101",
    "\u0000",
    "\ud800",
    "health",
    "Health",
    "lead",
]
OTHER: list[Any] = [None, [], {}, [[]], ["health", "health"], [{"dimension": "health", "in_need": True}] * 2]
nasty = st.sampled_from([*IDS, *NUMBERS, *DATES, *WORDS, *OTHER])


def golden(name: str) -> dict[str, Any]:
    sample = json.loads((GOLDEN / f"{name}.json").read_text(encoding="utf-8"))
    value: dict[str, Any] = json.loads(sample["value"])
    return value


def spots(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Every place in a JSON value, but the whole."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [spot for key, inner in items for spot in [(*path, key), *spots(inner, (*path, key))]]


def put(value: Any, path: tuple[Any, ...], new: Any) -> Any:
    changed = copy.deepcopy(value)
    inner = changed
    for step in path[:-1]:
        inner = inner[step]
    inner[path[-1]] = new
    return changed


def plain(value: Any) -> Any:
    """A struct or a model as dicts and lists of comparable values."""
    if isinstance(value, msgspec.Struct):
        return plain(msgspec.structs.asdict(value))
    if isinstance(value, BaseModel):
        return plain(dict(value))
    if isinstance(value, dict):
        return {name: plain(inner) for name, inner in value.items()}
    return [plain(inner) for inner in value] if isinstance(value, tuple) else value


def taken(name: str, value: bytes) -> Any:
    """What the fast reader makes of it; None where it leaves that to pydantic."""
    decoder = fast(EVENTS[name])
    assert decoder is not None
    try:
        return decoder.decode(value)
    except (ValueError, RecursionError):
        return None


def checked(name: str, value: bytes) -> Event | None:
    try:
        return EVENTS[name].model_validate_json(value)
    except ValidationError:
        return None


@pytest.mark.parametrize("name", EVENTS)
def test_every_golden_record_is_believed(name: str):
    sample = json.loads((GOLDEN / f"{name}.json").read_text(encoding="utf-8"))
    headers = [(header, text.encode()) for header, text in sample["headers"].items()]
    value, key = sample["value"].encode(), sample["key"].encode()
    arrived = read(Record(sample["topic"], sample["partition"], 0, key, value, headers))
    assert isinstance(arrived, Arrived), arrived
    assert arrived.fact.type == name


@pytest.mark.parametrize("name", EVENTS)
def test_a_name_given_twice_is_seen_wherever_it_stands(name: str, monkeypatch: pytest.MonkeyPatch):
    event = golden(name)
    value = json.dumps(event, separators=(",", ":")).encode()
    for at in [n for n, byte in enumerate(value) if value[n - 1 : n] in b"{," and byte == ord('"')]:
        end = value.index(b":", at)
        for of in (b'"x:y"', b"1", b"null"):
            twice = value[:at] + value[at:end] + b":" + of + b"," + value[at:]
            assert not names_once(readers()[name](value), twice)
    monkeypatch.setattr(reader, "_in_full", lambda _: pytest.fail("a sound event needs no second look"))
    assert names_once(readers()[name](value), value)


@pytest.mark.parametrize("name", EVENTS)
def test_every_golden_event_is_read_the_fast_way(name: str):
    value = json.dumps(golden(name)).encode()
    assert plain(taken(name, value)) == plain(checked(name, value))


@pytest.mark.parametrize("name", EVENTS)
@given(data=st.data())
@settings(max_examples=200, deadline=None)
def test_what_the_fast_reader_takes_the_contract_takes(name: str, data: st.DataObject):
    event = golden(name)
    for _ in range(data.draw(st.integers(0, 2))):
        event = put(event, data.draw(st.sampled_from([*spots(event), ("unknown",)])), data.draw(nasty))
    value = json.dumps(event).encode()
    fast_read = taken(name, value)
    assert fast_read is None or plain(fast_read) == plain(checked(name, value))


@pytest.mark.parametrize("name", EVENTS)
def test_what_only_pydantic_takes_is_read_all_the_same(name: str):
    for spot in spots(golden(name)):
        for new in [*NUMBERS, *DATES]:
            value = json.dumps(put(golden(name), spot, new)).encode()
            if expected := checked(name, value):
                assert plain(readers()[name](value)) == plain(expected)
