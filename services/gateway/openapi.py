"""The OpenAPI document: FastAPI's own, and in it what each service takes as a command."""

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic.json_schema import models_json_schema

from services.gateway.snapshot import HEADERS
from shared.commands.reading import envelope_of
from shared.events.catalog import COMMANDS

_REF = "#/components/schemas/{model}"
DESCRIPTION = "Commands go to the service that owns them; questions are answered from the projections' tables."


def document(app: FastAPI) -> dict[str, Any]:
    made = get_openapi(title=app.title, version=app.version, description=DESCRIPTION, routes=app.routes)
    parts = made.setdefault("components", {})
    parts["securitySchemes"] = {"token": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}}
    made["security"] = [{"token": []}]
    for path in made["paths"].values():
        for question in path.values():
            if "questions" in question["tags"]:
                question.setdefault("parameters", []).extend(_header(*told) for told in HEADERS.items())
    for service in COMMANDS:
        choices, definitions = _commands(service)
        parts.setdefault("schemas", {}).update(definitions)
        one, many = (made["paths"][f"/v1/{service}/commands{end}"]["post"] for end in ("", "/bulk"))
        one["requestBody"] = _body("application/json", {"oneOf": choices})
        many["requestBody"] = _body("application/x-ndjson", {"type": "string", "description": "One command a line."})
    return made


def _header(name: str, description: str) -> dict[str, Any]:
    return {"name": name, "in": "header", "required": False, "schema": {"type": "string"}, "description": description}


def _body(media_type: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {"required": True, "content": {media_type: {"schema": schema}}}


def _commands(service: str) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """References to the envelope of each command, and every definition they need."""
    envelopes = {name: envelope_of(kind) for name, kind in COMMANDS[service].items()}
    found, schema = models_json_schema([(kind, "validation") for kind in envelopes.values()], ref_template=_REF)
    definitions = schema["$defs"]
    references = {name: found[kind, "validation"] for name, kind in envelopes.items()}
    for name, reference in references.items():
        definitions[reference["$ref"].rpartition("/")[2]]["properties"]["type"] = {"const": name}
    return list(references.values()), definitions
