"""Finds the class of a message by its type name, and reads its JSON."""

import json
from typing import Any, get_args

from shared.events.base import Command, Event
from shared.events.interventions import InterventionsCommand, InterventionsEvent
from shared.events.pairing import PairingCommand, PairingEvent
from shared.events.registry import RegistryCommand, RegistryEvent

SERVICES = ("registry", "pairing", "interventions")
"""The services that accept commands and publish events."""


def _by_type(union: Any) -> dict[str, Any]:
    """The classes of a union by their type name."""
    return {member.type: member for member in get_args(union)}


COMMANDS: dict[str, dict[str, type[Command]]] = {
    "registry": _by_type(RegistryCommand),
    "pairing": _by_type(PairingCommand),
    "interventions": _by_type(InterventionsCommand),
}
"""Deciding service -> type name -> command class."""

EVENTS_OF: dict[str, dict[str, type[Event]]] = {
    "registry": _by_type(RegistryEvent),
    "pairing": _by_type(PairingEvent),
    "interventions": _by_type(InterventionsEvent),
}
"""Publishing service -> type name -> event class."""

EVENTS: dict[str, type[Event]] = {name: event for events in EVENTS_OF.values() for name, event in events.items()}
"""Type name -> event class, of every version ever published."""


def encode(event: Event) -> bytes:
    """The bytes that are stored, hashed and published: compact UTF-8 JSON, fields in declared order, no nulls."""
    return event.model_dump_json(exclude_none=True).encode()


def decode(type_name: str, value: bytes) -> Event:
    """The event in `value`.

    Raises KeyError for a type that was never published and pydantic.ValidationError for bytes that do not fit it.
    """
    return EVENTS[type_name].model_validate_json(value)


class NamedTwice(ValueError):
    """An object gives a name twice: readers differ in which of the two counts (RFC 8259 §4)."""


def require_names_once(value: bytes) -> None:
    """Of a value that `decode` takes. Raises NamedTwice."""
    json.loads(value.decode(), object_pairs_hook=_once)


def _once(members: list[tuple[str, object]]) -> None:
    if len(dict(members)) < len(members):
        raise NamedTwice
