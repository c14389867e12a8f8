"""The W3C trace context of the request in hand (W3C Trace Context §3.2), so that one id leads through every log."""

import re
import secrets
from contextvars import ContextVar

_FORM = re.compile(r"00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}")
_current: ContextVar[str] = ContextVar("traceparent", default="")


def enter(traceparent: str | None) -> str:
    """Goes on with the caller's trace where it is well formed, otherwise begins one; returns the new traceparent."""
    known = traceparent and _FORM.fullmatch(traceparent)
    trace_id = traceparent[3:35] if traceparent and known else secrets.token_hex(16)
    made = f"00-{trace_id}-{secrets.token_hex(8)}-01"
    _current.set(made)
    return made


def parent() -> str | None:
    """The traceparent to hand on, if a request is in hand."""
    return _current.get() or None


def current() -> str:
    """The trace id, 32 hex digits, to tell a person who reports a fault."""
    return _current.get()[3:35]
