"""The hot path's reader of event data: msgspec structs made from the contract's own pydantic classes.

What a struct takes, the contract takes, with the same values (tests/contracts/test_fast_reader.py); what it refuses is
read again by pydantic, which has the last word and says why. So nothing here has to be kept in step by hand, and a kind
of field that is not known here makes its event slow, never wrong.
"""

import types
from collections.abc import Callable, Mapping
from dataclasses import asdict, is_dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum
from functools import partial
from itertools import chain
from typing import Annotated, Any, Optional, Union, cast, get_args, get_origin, get_type_hints

import msgspec
from pydantic import AfterValidator, BaseModel
from pydantic.fields import FieldInfo

from shared.events import catalog
from shared.events.base import Event

Read = Callable[[bytes], Event]
"""The event in a record's value. Raises ValueError (msgspec's or pydantic's) or RecursionError."""
Check = Callable[[Any], object]
"""Raises ValueError for a value that does not fit."""

PLAIN = (str, int, bool, date, Decimal)
_ENCODER = msgspec.json.Encoder()
LIMITS = {"pattern", "min_length", "max_length", "ge", "le"}
"""The constraints that msgspec knows too, under the same names."""


class _Unknown(Exception):
    """An annotation that has no equal here."""


def readers(events: Mapping[str, type[Event]] = catalog.EVENTS) -> dict[str, Read]:
    """Type name -> reader."""
    return {name: _reader(event) for name, event in events.items()}


def fast(event: type[Event]) -> msgspec.json.Decoder[Any] | None:
    """The msgspec decoder of an event class, or None when one of its fields is of a kind unknown here."""
    try:
        return msgspec.json.Decoder(_struct(event))
    except _Unknown:
        return None


def names_once(event: Event, value: bytes) -> bool:
    """Whether no object in `value`, out of which `event` was read, gives a name twice: readers differ in which counts.

    The event, written again without what is not given, has a colon for each name and those in its texts. `value` has
    as many only if it gives each name once, as no text can hide one behind an escape; else it is looked at in full.
    """
    if b"\\" in value or not isinstance(event, msgspec.Struct):
        return _in_full(value)
    return value.count(b":") == _ENCODER.encode(event).count(b":") or _in_full(value)


def _in_full(value: bytes) -> bool:
    try:
        catalog.require_names_once(value)
    except (ValueError, RecursionError):
        return False
    return True


def _reader(event: type[Event]) -> Read:
    decoder = fast(event)
    if decoder is None:
        return event.model_validate_json

    def read(value: bytes) -> Event:
        try:
            return cast(Event, decoder.decode(value))  # the same attributes with the same values
        except (ValueError, RecursionError):
            return event.model_validate_json(value)

    return read


def _struct(model: type[BaseModel]) -> type[msgspec.Struct]:
    checks: list[tuple[str, Check]] = []
    hints = get_type_hints(model, include_extras=True)
    fields = [_field(name, info, hints[name], checks) for name, info in model.model_fields.items()]

    def __post_init__(self: msgspec.Struct) -> None:  # noqa: N807
        for name, check in checks:
            if (value := getattr(self, name)) is not None:
                check(value)

    namespace = {"__post_init__": __post_init__} if checks else {}
    return msgspec.defstruct(
        model.__name__,
        fields,
        namespace=namespace,
        frozen=True,
        forbid_unknown_fields=True,
        omit_defaults=True,
        kw_only=True,
        gc=False,
    )


def _field(name: str, info: FieldInfo, hint: Any, checks: list[tuple[str, Check]]) -> tuple[Any, ...]:
    found: list[Check] = []
    annotation = _annotation(hint, found)
    checks += [(name, check) for check in found]
    return (name, annotation) if info.is_required() else (name, annotation, info.default)


def _annotation(hint: Any, checks: list[Check]) -> Any:
    """The msgspec equal of a pydantic annotation; what only Python can check is added to `checks`."""
    origin, arguments = get_origin(hint), get_args(hint)
    if origin is Annotated:
        return _annotated(_annotation(arguments[0], checks), arguments[1:], checks)
    if origin in (Union, types.UnionType) and arguments[1:] == (types.NoneType,):
        return Optional[_annotation(arguments[0], checks)]  # noqa: UP045 - what comes back may be Annotated
    if origin is tuple and arguments[1:] == (...,):
        inner: list[Check] = []
        item = _annotation(arguments[0], inner)
        if not inner:
            return tuple.__class_getitem__((item, ...))
    elif isinstance(hint, type) and issubclass(hint, BaseModel):
        return _struct(hint)
    elif hint in PLAIN or (isinstance(hint, type) and issubclass(hint, StrEnum)):
        return hint
    raise _Unknown(hint)


def _annotated(inner: Any, notes: tuple[Any, ...], checks: list[Check]) -> Any:
    limits: dict[str, Any] = {}
    for note in chain.from_iterable(note.metadata if isinstance(note, FieldInfo) else [note] for note in notes):
        if isinstance(note, AfterValidator):
            checks.append(cast(Check, note.func))
        else:
            limits |= asdict(note) if is_dataclass(note) and not isinstance(note, type) else vars(note)
    if inner is Decimal:
        checks.append(partial(_amount, limits.pop("ge"), limits.pop("max_digits"), limits.pop("decimal_places")))
    if limits.keys() - LIMITS:
        raise _Unknown(limits)
    if "pattern" in limits:  # in Python `$` also stands before a last newline, in pydantic's regular expressions not
        limits["pattern"] = limits["pattern"].replace("$", r"\Z")
    return Annotated[inner, msgspec.Meta(**limits)] if limits else inner


def _amount(least: int, max_digits: int, decimal_places: int, amount: Decimal) -> None:
    """Takes plain amounts only; pydantic looks at the others."""
    _, digits, exponent = amount.as_tuple()
    if not isinstance(exponent, int) or not -decimal_places <= exponent <= 0 or len(digits) > max_digits:
        raise ValueError("not a plain amount")
    if amount < least:
        raise ValueError(f"less than {least}")
