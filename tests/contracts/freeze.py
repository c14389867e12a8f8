"""Writes the golden file and the schema of every type that has none yet, and never touches one that exists; and what
the fold makes of the stories, for the version that it has now.

python -m tests.contracts.freeze
"""

import json
import uuid
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from services.projections import card
from services.projections.made_by import FOLD
from shared.events import catalog, envelope, topics
from shared.events.base import Event
from tests.contracts import example_commands, examples, fold_stories
from tests.support.log import Log
from tests.support.world import straight

GOLDEN = Path(__file__).parent / "golden"
SCHEMAS = GOLDEN / "schemas"
FOLDS = GOLDEN / "fold"
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


def events_file(story: str) -> Path:
    return FOLDS / f"{story}.events.jsonl"


def rows_file(story: str) -> Path:
    """Of the fold's version that this code has."""
    return FOLDS / f"{story}.rows-{FOLD}.jsonl"


def lines(path: Path) -> list[str]:
    return path.read_text(encoding="utf-8").splitlines()


def told(story: str) -> list[str]:
    """The events of a story, a line each: stream, type, value."""
    return [
        json.dumps(
            {"stream": stream, "type": event.type, "data": json.loads(catalog.encode(event))}, ensure_ascii=False
        )
        for stream, event in fold_stories.STORIES[story]()
    ]


def folded(events: Sequence[str]) -> list[str]:
    """The rows and cards that such events come to, a line each."""
    log = Log()
    for one in map(json.loads, events):
        log.add(one["stream"], catalog.decode(one["type"], json.dumps(one["data"]).encode()))
    world = straight(log)
    rows = [
        [name, key, *version, str(day), *cell, n]
        for name, of in world.rows().items()
        for key, by_fact in of.items()
        for version, made in by_fact.items()
        for (day, *cell), n in made.items()
    ]
    states = [["card", key, json.loads(card.dump(known.card))] for key, known in world.known.items()]
    return sorted(json.dumps(row, ensure_ascii=False) for row in rows + states)


def _keep_story(story: str) -> None:
    if not events_file(story).exists():
        events_file(story).write_text("\n".join([*told(story), ""]), encoding="utf-8")
    if not rows_file(story).exists():
        rows_file(story).write_text("\n".join([*folded(lines(events_file(story))), ""]), encoding="utf-8")
    for other in FOLDS.glob(f"{story}.rows-*.jsonl"):
        if other != rows_file(story):
            other.unlink()  # of a fold that is no more


def main() -> None:
    for story in fold_stories.STORIES:
        _keep_story(story)
    for stream, events in examples.EVENTS.items():
        _keep_stream(stream, events)
    for name, data in example_commands.COMMANDS.items():
        keep(name, {"type": name, "id": f"example-{name}", "data": data}, data)
    for name, kind in {**catalog.EVENTS, **COMMANDS}.items():
        if not (SCHEMAS / f"{name}.json").exists():
            _write(SCHEMAS / f"{name}.json", kind.model_json_schema())


if __name__ == "__main__":
    main()
