"""A record of the log, read and checked: a fact that arrived, or something unreadable.

Nothing here trusts the record. What cannot be stored (a NUL, an endless name), stands in the wrong place, or does not
fit its own hash, is unreadable like broken JSON. Reasons name the field, never the value.
"""

import hashlib
import re
from datetime import date, datetime
from functools import lru_cache

from pydantic import ValidationError

from services.projections.facts import Arrived, At, Fact, Held, LogRecord, Unreadable
from services.projections.reader import names_once, readers
from shared.events import catalog, topics
from shared.events.base import Event
from shared.events.envelope import key_of

SERVICE_OF_TOPIC = {topic.name: service for service, topic in topics.EVENT_TOPICS.items()}
SERVICE_OF_KIND = {"household": "registry", "helper": "pairing", "pairing": "pairing", "case": "interventions"}
"""Kind of stream -> the service that alone may write it."""
STREAM = re.compile(r"(?:household|pairing|case)-hh_[0-9a-z]{20}|helper-hp_[0-9a-z]{20}", re.ASCII)
VERSION = re.compile(r"[1-9][0-9]{0,8}", re.ASCII)
UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.ASCII)
AGENCY = re.compile(r"[\x20-\x7e]{1,100}", re.ASCII)
YEARS = range(1900, 9000)
"""Of recorded_at: wide, and far from where converting between zones overflows."""


class Refused(Exception):
    """Why a record is unreadable."""


_READERS = readers()
partition_of = lru_cache(maxsize=100_000)(topics.partition_of)
"""Of a key."""


def _kind(service: str, event: type[Event]) -> str:
    """The kind of stream in which an event of a service stands: the helper's where it concerns no household."""
    if "household" not in event.model_fields:
        return "helper"
    return next(kind for kind, owner in SERVICE_OF_KIND.items() if owner == service and kind != "helper")


KIND_OF_TYPE = {
    name: _kind(service, event) for service, events in catalog.EVENTS_OF.items() for name, event in events.items()
}


def read(record: LogRecord) -> Arrived | Unreadable:
    """Never raises: whatever is wrong with a record is told in the answer."""
    headers, value = _canonical(record), record.value or b""
    digest = hashlib.sha256(headers + value).hexdigest()
    at, stream, version = At(record.topic, record.partition, record.offset), "", 0
    try:
        told = _told(record, headers)
        stream, version = _place(record, told)
        if told.get("ce_hash") != digest:
            return Unreadable(at, stream, version, digest, headers, value, "altered", "the hash does not fit")
        fact = _fact(told, stream, version, value)
        return Arrived(at, fact, _day(told["ce_occurredon"]), told["ce_prevhash"], digest, headers, value)
    except Refused as refused:
        reason = str(refused)
        if any("\0" in name for name, _ in record.headers):
            return read(_cut(record))
    except KeyError as missing:
        reason = f"{missing.args[0]}: missing"
    return Unreadable(at, stream, version, digest, headers, value, "unreadable", reason)


def event_of(type_name: str, value: bytes) -> Event:
    """Raises Refused with the first field that does not fit."""
    if type_name not in _READERS:
        raise Refused("ce_type: unknown")
    try:
        return _READERS[type_name](value)
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False, include_input=False)[0]
        known = first["loc"][:-1] if first["type"] == "extra_forbidden" else first["loc"]  # its name is the sender's
        raise Refused(f"{'.'.join(['data', *map(str, known)])}: {first['type']}") from None
    except (ValueError, RecursionError) as error:
        raise Refused(f"data: {type(error).__name__}") from None


def fingerprint(record: LogRecord) -> str:
    """Tells whether the log still holds the same record at an offset; of a sound one it is the event's hash."""
    return hashlib.sha256(_canonical(record) + (record.value or b"")).hexdigest()


def _canonical(record: LogRecord) -> bytes:
    """The headers as they are hashed: `shared.events.envelope.canonical`, of headers that may hold anything."""
    names = tuple([name for name, _ in record.headers if name != "ce_hash"])
    return _form(names) % tuple([text or b"" for name, text in record.headers if name != "ce_hash"])


@lru_cache(maxsize=50)
def _form(names: tuple[str, ...]) -> bytes:
    """Headers of these names, with room for what they say: most events have the same few sets of names."""
    return b"".join(name.replace("%", "%%").encode() + b"\0%b\0" for name in names)


def _cut(record: LogRecord) -> Held:
    """With the names up to a NUL, as librdkafka's client delivers them: a rebuild must not see another record."""
    headers = [(name.partition("\0")[0], text) for name, text in record.headers]
    return Held(record.topic, record.partition, record.offset, record.key, record.value, headers)


def _told(record: LogRecord, headers: bytes) -> dict[str, str]:
    """The headers as text."""
    if record.value is None:
        raise Refused("no value")
    try:
        told = {name: (text or b"").decode() for name, text in record.headers}
    except UnicodeDecodeError:
        raise Refused("headers: not UTF-8") from None
    if len(told) != len(record.headers) or "" in told.values():
        raise Refused("headers: empty, or named twice")
    if headers.count(b"\0") != 2 * (len(told) - ("ce_hash" in told)):
        raise Refused("headers: NUL")
    if told["ce_specversion"] != "1.0":
        raise Refused("ce_specversion: unknown")
    return told


def _place(record: LogRecord, told: dict[str, str]) -> tuple[str, int]:
    """Stream and version. Raises Refused unless the stream is this topic's and this partition's."""
    stream, version = told["ce_subject"], told["ce_version"]
    if not STREAM.fullmatch(stream):
        raise Refused("ce_subject: not a stream")
    topic, source, key, partition = _home(stream)
    if topic != record.topic or source != told["ce_source"]:
        raise Refused("ce_subject: of another service")
    if key != record.key or partition != record.partition:
        raise Refused("ce_subject: in another place of the log")
    if not VERSION.fullmatch(version):
        raise Refused("ce_version: not a version")
    return stream, int(version)


@lru_cache(maxsize=100_000)
def _home(stream: str) -> tuple[str, str, bytes, int]:
    """Where all events of a stream stand: topic, source, key, partition."""
    kind, _, key = stream.partition("-")
    service = SERVICE_OF_KIND[kind]
    return topics.EVENT_TOPICS[service].name, f"/siao/{service}", key.encode(), partition_of(key)


def _fact(told: dict[str, str], stream: str, version: int, value: bytes) -> Fact:
    if not UUID.fullmatch(told["ce_id"]):
        raise Refused("ce_id: not a UUID")
    if not AGENCY.fullmatch(told["ce_agency"]):
        raise Refused("ce_agency: not an agency")
    event, key = event_of(told["ce_type"], value), key_of(stream)
    if KIND_OF_TYPE[told["ce_type"]] != stream.partition("-")[0]:
        raise Refused("ce_type: of another kind of stream")
    if not names_once(event, value):
        raise Refused("data: a name given twice")
    if getattr(event, "household", None) != key and getattr(event, "helper", None) != key:
        raise Refused("data: of another household or helper")
    order = (_moment(told["ce_time"]), stream, version)
    return Fact(key, order, told["ce_id"], told["ce_type"], told["ce_agency"], event)


def _moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise Refused("ce_time: not a time") from None
    if moment.tzinfo is None or moment.year not in YEARS:
        raise Refused("ce_time: without a zone, or out of range")
    return moment


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise Refused("ce_occurredon: not a day") from None
