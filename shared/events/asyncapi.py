"""Writes docs/asyncapi.json: the topics, who sends and receives there, and what each message looks like.

AsyncAPI 3.0.0 with its Kafka bindings 0.5.0, made of `topics`, `catalog`, `envelope` and, as examples, the golden
records under tests/contracts. To write it again after a change of the contract:

    python -m shared.events.asyncapi
"""

import json
from pathlib import Path
from typing import Any

from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue, models_json_schema
from pydantic_core import core_schema

from shared.events.base import Event, Message
from shared.events.catalog import EVENTS, EVENTS_OF
from shared.events.progress import Watermark
from shared.events.topics import EVENT_TOPICS, GROUP_PREFIXES, PROGRESS, TOPICS, Topic

ROOT = Path(__file__).parents[2]
DOCUMENT = ROOT / "docs" / "asyncapi.json"
GOLDEN = ROOT / "tests" / "contracts" / "golden"

Json = dict[str, Any]

TEXT: Json = {"type": "string", "minLength": 1}
DATE: Json = {"type": "string", "format": "date"}
HASH: Json = {"type": "string", "pattern": "^[0-9a-f]{64}$"}

HEADERS: dict[str, Json] = {
    "ce_specversion": {"const": "1.0", "description": "CloudEvents 1.0, Kafka binary mode."},
    "ce_id": {"type": "string", "format": "uuid"},
    "ce_type": TEXT | {"description": "Name and version of the event."},
    "ce_source": {"enum": [f"/siao/{service}" for service in EVENT_TOPICS]},
    "ce_time": {"type": "string", "format": "date-time", "description": "When the store accepted it, UTC."},
    "ce_subject": TEXT | {"description": "The stream. Behind its first hyphen stands the record's key."},
    "content-type": {"const": "application/json"},
    "ce_version": {"type": "string", "pattern": "^[1-9][0-9]*$", "description": "1, 2, 3 … within the stream."},
    "ce_occurredon": DATE | {"description": "When it was true in the world."},
    "ce_reportedon": DATE | {"description": "The agency's own date of its report."},
    "ce_agency": TEXT | {"description": "The publishing agency, from its token."},
    "ce_actor": TEXT,
    "ce_commandid": TEXT | {"description": "The agency's own id of the command."},
    "ce_correlationid": TEXT,
    "ce_causationid": TEXT,
    "ce_clock": {"enum": ["real", "simulated"]},
    "traceparent": TEXT | {"description": "W3C trace context."},
    "ce_prevhash": HASH | {"description": "ce_hash of the stream's version before; zeros for the first."},
    "ce_hash": HASH | {"description": "SHA-256 over every other header, in this order, and the value."},
}
"""Every header of an event's record, in order: `envelope.headers` and behind them the hash."""

OPTIONAL_HEADERS = {"ce_reportedon", "ce_correlationid", "ce_causationid", "traceparent"}


class Published(GenerateJsonSchema):
    """The schema of what is written to the log, where nothing is null: an optional field is left out."""

    def nullable_schema(self, schema: core_schema.NullableSchema) -> JsonSchemaValue:
        return self.generate_inner(schema["schema"])

    def default_schema(self, schema: core_schema.WithDefaultSchema) -> JsonSchemaValue:
        return self.generate_inner(schema["schema"])


def key(name: str) -> str:
    """The name of a topic or a type as a key of the document, where generators of code want no dot."""
    return name.replace(".", "-")


def payload_schemas() -> Json:
    """Name -> JSON Schema, of everything published and of what that is made of."""
    published: list[type[Message]] = [*EVENTS.values(), Watermark]
    _, schemas = models_json_schema(
        [(model, "serialization") for model in published],
        ref_template="#/components/schemas/{model}",
        schema_generator=Published,
    )
    definitions: Json = schemas["$defs"]
    return definitions


def document() -> Json:
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Siao: the event log",
            "version": "1.0.0",
            "description": "What the services publish. Only a service writes to its topic; agencies send commands.",
        },
        "defaultContentType": "application/json",
        "servers": {"kafka": _server()},
        "channels": {key(topic.name): _channel(topic) for topic in TOPICS},
        "operations": {name: operation for topic in TOPICS for name, operation in _operations(topic).items()},
        "components": {
            "messages": {"Watermark": _watermark(), **{key(name): _message(event) for name, event in EVENTS.items()}},
            "schemas": {"Headers": _headers(), **payload_schemas()},
            "securitySchemes": {"scram": {"type": "scramSha512", "description": "One principal a service."}},
        },
    }


def render() -> str:
    return json.dumps(document(), ensure_ascii=False, indent=2) + "\n"


def _server() -> Json:
    return {
        "host": "{bootstrap}",
        "protocol": "kafka",
        "security": [{"$ref": "#/components/securitySchemes/scram"}],
        "variables": {"bootstrap": {"default": "127.0.0.1:9092", "description": "SIAO_KAFKA: host and port."}},
    }


def _channel(topic: Topic) -> Json:
    messages = {message: {"$ref": f"#/components/messages/{message}"} for message in _messages_on(topic)}
    numbers = {name: int(value) for name, value in topic.config.items() if value.lstrip("-").isdigit()}
    words = {"cleanup.policy": [topic.config["cleanup.policy"]]}
    kafka = {
        "topic": topic.name,
        "partitions": topic.partitions,
        "topicConfiguration": topic.config | numbers | words,
        "bindingVersion": "0.5.0",
    }
    return {"address": topic.name, "description": topic.about, "messages": messages, "bindings": {"kafka": kafka}}


def _messages_on(topic: Topic) -> list[str]:
    if topic == PROGRESS:
        return ["Watermark"]
    return [key(name) for service, at in EVENT_TOPICS.items() if at == topic for name in EVENTS_OF[service]]


def _operations(topic: Topic) -> Json:
    channel = {"$ref": f"#/channels/{key(topic.name)}"}
    sends = {f"{who}-sends-{key(topic.name)}": {"action": "send", "channel": channel} for who in topic.writers}
    receives = {f"{who}-receives-{key(topic.name)}": _receive(channel, who) for who in topic.readers}
    return sends | receives


def _receive(channel: Json, who: str) -> Json:
    operation: Json = {"action": "receive", "channel": channel}
    if prefixes := GROUP_PREFIXES.get(who):
        group = {"type": "string", "pattern": f"^({'|'.join(prefixes)})"}
        operation["bindings"] = {"kafka": {"groupId": group, "bindingVersion": "0.5.0"}}
    return operation


def _headers() -> Json:
    required = [name for name in HEADERS if name not in OPTIONAL_HEADERS]
    return {"type": "object", "properties": HEADERS, "required": required, "additionalProperties": False}


def _message(event: type[Event]) -> Json:
    golden = [json.loads(path.read_text()) for path in sorted(GOLDEN.glob(f"{event.type}[.+]*json"))]
    only_this = {"type": "object", "properties": {"ce_type": {"const": event.type}}}
    return {
        "name": event.type,
        "contentType": "application/json",
        "headers": {"allOf": [{"$ref": "#/components/schemas/Headers"}, only_this]},
        "payload": {"$ref": f"#/components/schemas/{event.__name__}"},
        "bindings": {
            "kafka": {"key": {"type": "string", "pattern": "^h[hp]_[0-9a-z]{20}$"}, "bindingVersion": "0.5.0"}
        },
        "examples": [{"headers": record["headers"], "payload": json.loads(record["value"])} for record in golden],
    }


def _watermark() -> Json:
    return {
        "contentType": "application/json",
        "payload": {"$ref": "#/components/schemas/Watermark"},
        "bindings": {"kafka": {"key": {"enum": list(EVENT_TOPICS)}, "bindingVersion": "0.5.0"}},
    }


if __name__ == "__main__":
    DOCUMENT.write_text(render())
