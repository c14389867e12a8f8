"""From the bytes of one command to a submission that can be decided, or a refusal that names the field."""

import json
import re
from codecs import BOM_UTF8
from collections.abc import Mapping
from functools import cache
from typing import Annotated, Any, Generic, NamedTuple, TypeVar, cast

from pydantic import Field, ValidationError

from shared.entries import Author
from shared.errors import Rejected
from shared.events.base import Command, CommandId, Day, Message
from shared.eventstore.store import Origin
from shared.runtime import ids, problems, trace
from shared.runtime.auth import Caller, Role
from shared.runtime.keyed import Keyed

MAX_COMMAND_BYTES = 262_144
"""Of one command, alone or as a line of many: far above the largest real one (30 members), below an event's limit."""

LONGEST_NAME = 100
"""Characters of a name that a refusal repeats: a name can be whatever was sent."""

_NUL = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")
"""An escaped NUL: PostgreSQL's jsonb and text cannot hold one. Behind an even number of backslashes it is an escape."""

_NORMAL = json.JSONEncoder(sort_keys=True, separators=(",", ":"))
"""However a body was spaced and ordered. Digests are kept: this must go on writing the same bytes."""

C = TypeVar("C", bound=Command)
CorrelationId = Annotated[str, Field(min_length=1, max_length=100, pattern=r"^[\x21-\x7e]+$")]


class CommandEnvelope(Message, Generic[C]):
    """What an agency sends."""

    type: str
    id: CommandId
    """The agency's own; sending it again returns the first answer."""
    reported_on: Day | None = None
    correlation: CorrelationId | None = None
    data: C


class Submission(NamedTuple):
    """A command that could be read, who sent it, and a keyed digest of its body."""

    command: Command
    origin: Origin
    role: Role
    digest: bytes
    fresh: str
    """Random characters for the id of whatever the command makes without naming it."""

    @property
    def key(self) -> tuple[str, str]:
        return self.origin.agency, self.origin.command_id

    @property
    def author(self) -> Author:
        return Author(self.origin.agency, self.role is Role.SECRETARIAT)


class Reader:
    """Reads the commands of one service. `digest_key` keys the digests of bodies."""

    def __init__(self, commands: Mapping[str, type[Command]], digest_key: bytes) -> None:
        self._commands, self._keyed = commands, Keyed(digest_key)

    def read(self, body: bytes, caller: Caller) -> Submission:
        """Raises Rejected with a code, and the field where one is wrong."""
        body = body.removeprefix(BOM_UTF8)
        told = _object(body)
        kind = self._commands.get(str(told.get("type")))
        if kind is None:
            raise Rejected("field_missing" if "type" not in told else "command_unknown", field="type")
        try:
            envelope = envelope_of(kind).model_validate_json(body)
        except ValidationError as error:
            raise problems.from_validation(error) from None  # its text may quote the value
        normal = _NORMAL.encode(told).encode()
        origin = Origin(
            caller.agency, caller.actor, envelope.id, envelope.reported_on, envelope.correlation, trace.parent()
        )
        return Submission(envelope.data, origin, caller.role, self._keyed.digest(normal), ids.random_part())


@cache
def envelope_of(kind: type[Command]) -> type[CommandEnvelope[Command]]:
    """The envelope model of one command type, for reading and for its JSON Schema."""
    return cast(type[CommandEnvelope[Command]], CommandEnvelope.__class_getitem__(kind))


def _object(body: bytes) -> dict[str, Any]:
    if len(body) > MAX_COMMAND_BYTES:
        raise Rejected("body_too_large", limit=MAX_COMMAND_BYTES)
    if b"\0" in body or (b"u0000" in body and _NUL.search(body)):
        raise Rejected("nul_byte")
    try:
        told = _JSON.decode(body.decode())
    except (ValueError, RecursionError):
        raise Rejected("json_malformed") from None  # its text may quote the body
    if not isinstance(told, dict):
        raise Rejected("json_not_object")
    return told


def _each_name_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """JSON leaves open which of two equal names counts (RFC 8259 §4); here neither does."""
    told = dict(pairs)
    if len(told) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for place, name in enumerate(names) if name in names[:place])
        raise Rejected("json_duplicate_name", field=twice, name=twice[:LONGEST_NAME])
    return told


def _no_json(word: str) -> Any:
    """Python's reader takes NaN and Infinity, which are no JSON (RFC 8259 §6)."""
    raise ValueError(word)


_JSON = json.JSONDecoder(object_pairs_hook=_each_name_once, parse_constant=_no_json)
