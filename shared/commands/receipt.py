"""The receipt of an accepted command: made once, remembered, and given again byte for byte."""

import json
from collections.abc import Sequence

import msgspec

from shared.commands.reading import Submission
from shared.events import envelope
from shared.eventstore.store import Record
from shared.runtime.ids import new_id


def accepted(
    submission: Submission, stream: str, records: Sequence[Record], stream_versions: str, flags: Sequence[str]
) -> bytes:
    """UTF-8 JSON. `events` is empty where the command said what was so already."""
    return msgspec.json.encode(
        {
            "receipt": new_id("rc"),
            "command": submission.origin.command_id,
            "type": submission.command.type,
            "outcome": "accepted",
            "subject": envelope.key_of(stream),
            "stream_versions": stream_versions,
            "events": [{"id": r.id, "type": r.type, "stream": r.stream, "version": r.version} for r in records],
            "recorded_at": envelope.timestamp(records[-1].recorded_at) if records else None,
            "flags": list(flags),
        }
    )


def versions(records: Sequence[Record]) -> str:
    """What `Siao-Version` says: `stream@version,…`, the last of each stream."""
    return ",".join(f"{stream}@{version}" for stream, version in {r.stream: r.version for r in records}.items())


def versions_in(answer: bytes) -> str:
    found: str = json.loads(answer)["stream_versions"]
    return found
