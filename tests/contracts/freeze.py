"""Writes the golden file and the schema of every type that has none yet, and never touches one that exists.

python -m tests.contracts.freeze
"""

import json
import uuid
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from shared.events import catalog, envelope, topics
from shared.events.base import Event
from tests.contracts import examples

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


def write_once(path: Path, content: object) -> None:
    if not path.exists():
        path.write_text(json.dumps(content, ensure_ascii=False, indent=2) + "\n")


def _freeze_stream(stream: str, events: tuple[Event, ...]) -> None:
    prev_hash = envelope.GENESIS
    for version, event in enumerate(events, start=1):
        made = record(stream, version, event, prev_hash)
        write_once(GOLDEN / f"{event.type}.json", made)
        prev_hash = made["headers"]["ce_hash"]


def main() -> None:
    for stream, events in examples.EVENTS.items():
        _freeze_stream(stream, events)
    for name, data in examples.COMMANDS.items():
        write_once(GOLDEN / f"{name}.json", {"type": name, "id": f"example-{name}", "data": data})
    for name, kind in {**catalog.EVENTS, **COMMANDS}.items():
        write_once(SCHEMAS / f"{name}.json", kind.model_json_schema())


if __name__ == "__main__":
    main()
