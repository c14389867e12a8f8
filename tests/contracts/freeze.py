"""Writes the golden file and the schema of every type that has none yet, and never touches one that exists.

python -m tests.contracts.freeze
"""

import json
import uuid
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from shared.events import catalog, envelope, topics
from shared.events.base import Event
from tests.contracts import example_commands, examples

GOLDEN = Path(__file__).parent / "golden"
SCHEMAS = GOLDEN / "schemas"
RECORDED = datetime(2019, 10, 3, 2, 0, tzinfo=UTC)

COMMANDS = {name: command for commands in catalog.COMMANDS.values() for name, command in commands.items()}


def record(stream: str, version: int, event: Event, prev_hash: str) -> dict[str, Any]:
    """An event as Kafka holds it, every header included; its id depends on nothing but its place."""
    [service] = [name for name, events in catalog.EVENTS_OF.items() if event.type in events]
    told = envelope.Envelope(
        id=str(uuid.UUID(int=uuid.uuid5(uuid.NAMESPACE_URL, f"{stream}@{version}").int, version=4)),
        type=event.type,
        source=f"/siao/{service}",
        recorded_at=RECORDED,
        stream=stream,
        version=version,
        occurred_on=event.occurred_on,
        agency="community-development",
        actor="clerk-1",
        command_id=f"example-{event.type}",
        clock="simulated",
        prev_hash=prev_hash,
        reported_on=RECORDED.date(),
        correlation_id="example",
        causation_id="example-cause",
        traceparent="00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
    )
    named, value = envelope.headers(told), catalog.encode(event)
    digest = envelope.chain_hash(envelope.canonical(named), value)
    return {
        "topic": topics.EVENT_TOPICS[service].name,
        "partition": topics.partition_of(told.key),
        "key": told.key,
        "headers": {**dict(named), "ce_hash": digest},
        "value": value.decode(),
    }


def files(name: str) -> list[Path]:
    """The golden files of a type: the first, and one for each time that it grew."""
    return sorted(GOLDEN.glob(f"{name}.json")) + sorted(GOLDEN.glob(f"{name}+*.json"))


def data_in(path: Path) -> dict[str, Any]:
    """What an event's record or a command holds."""
    told: dict[str, Any] = json.loads(path.read_text())
    data: dict[str, Any] = json.loads(told["value"]) if "value" in told else told["data"]
    return data


def parts(data: object, at: str = "") -> set[str]:
    """The names of all fields, those of parts with a dot."""
    match data:
        case dict():
            return {f"{at}{name}" for name in data}.union(*(parts(v, f"{at}{name}.") for name, v in data.items()))
        case list() | tuple():
            return set().union(*(parts(part, at) for part in data))
        case _:
            return set()


def keep(name: str, content: Mapping[str, object], data: object) -> None:
    """Writes `content` as a golden file if it is the first of its type, or has a field that no earlier one has."""
    known = [parts(data_in(path)) for path in files(name)]
    new = sorted(parts(data) - set().union(*known))
    if new:
        _write(GOLDEN / (f"{name}+{'+'.join(new)}.json" if known else f"{name}.json"), content)


def _write(path: Path, content: object) -> None:
    path.write_text(json.dumps(content, ensure_ascii=False, indent=2) + "\n")


def _keep_stream(stream: str, events: tuple[Event, ...]) -> None:
    prev_hash = envelope.GENESIS
    for version, event in enumerate(events, start=1):
        made = record(stream, version, event, prev_hash)
        keep(event.type, made, json.loads(made["value"]))
        prev_hash = json.loads(files(event.type)[0].read_text())["headers"]["ce_hash"]


def main() -> None:
    for stream, events in examples.EVENTS.items():
        _keep_stream(stream, events)
    for name, data in example_commands.COMMANDS.items():
        keep(name, {"type": name, "id": f"example-{name}", "data": data}, data)
    for name, kind in {**catalog.EVENTS, **COMMANDS}.items():
        if not (SCHEMAS / f"{name}.json").exists():
            _write(SCHEMAS / f"{name}.json", kind.model_json_schema())


if __name__ == "__main__":
    main()
