"""Refusals as RFC 9457 problem documents, in Thai and English, with a stable code and the field."""

import re
from collections import defaultdict
from datetime import date, datetime
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse

from shared.errors import Rejected
from shared.events.codes import PairRole
from shared.runtime import expected, logs, trace
from shared.runtime.auth import Role
from shared.runtime.postgres import TRANSIENT
from shared.thai import thai_date, thai_moment

MEDIA_TYPE = "application/problem+json"

ROLES: dict[Role | PairRole, str] = {
    Role.AGENCY: "หน่วยงาน",
    Role.OFFICER: "ข้าราชการ",
    Role.WORKING_GROUP: "คณะทำงาน",
    Role.SECRETARIAT: "ฝ่ายเลขานุการ",
    Role.GOVERNOR: "ผู้ว่าราชการจังหวัด",
    Role.AUDITOR: "ผู้ตรวจสอบ",
    Role.RESEARCHER: "นักวิจัย",
    PairRole.LEAD: "คู่เสี่ยวหลัก",
    PairRole.SUPPORTING: "ผู้ช่วยเหลือร่วม",
}
"""What a role is called in a Thai sentence."""
LONGEST_FIELD = 200
LONGEST_FACT = 1_000
"""Characters: a field's name can be whatever was sent."""

log = logs.get(__name__)

_CODES = {
    "missing": "field_missing",
    "extra_forbidden": "field_unknown",
    "buddhist_year": "buddhist_year",
    "date_too_early": "date_too_early",
    "named_twice": "named_twice",
    "json_invalid": "json_malformed",
}
"""pydantic's error type -> our code; every other type is `field_invalid`, with what was expected (`expected`)."""
_BUDDHIST = re.compile("(244[3-9]|24[5-9][0-9]|2[5-9][0-9]{2})-02-29")
"""A leap day of the Buddhist era: no date of the common era, so that no year can be read from it."""


def document(refusal: Rejected) -> dict[str, Any]:
    """The problem document of a refusal. It names the field and never repeats what stood in it.

    A day or moment among the facts is ISO 8601, and of the Buddhist era in the Thai text; a role is a word there.
    """
    problem = refusal.problem
    told = {name: value for name, value in refusal.facts.items() if value is not None}
    facts = defaultdict(str, {name: _sayable(value) for name, value in told.items()})
    in_thai = {name: said for name, value in told.items() if (said := _in_thai(value))}
    body: dict[str, Any] = {
        "type": f"urn:siao:problem:{refusal.code}",
        "title": problem.en.format_map(facts),
        "title_th": problem.th.format_map(facts | in_thai),
        "status": problem.status,
        "code": refusal.code,
        "retryable": problem.retryable,
    }
    if refusal.field:
        body["field"] = _sayable(refusal.field[:LONGEST_FIELD])
    return body | {name: value for name, value in facts.items() if name not in body}


def _in_thai(value: object) -> str | None:
    """None for what is written as it is."""
    match value:
        case datetime():
            return thai_moment(value)
        case date():
            return thai_date(value)
        case Role() | PairRole():
            return ROLES[value]
    return None


def _sayable(value: object) -> object:
    """A text that UTF-8 can carry: JSON may bring half of a surrogate pair in a name."""
    if isinstance(value, date):
        return value.isoformat()
    return value[:LONGEST_FACT].encode(errors="replace").decode() if isinstance(value, str) else value


def from_validation(error: ValidationError, prefix: str = "") -> Rejected:
    """The first thing wrong with a message, as a refusal."""
    first = error.errors(include_url=False, include_context=True)[0]
    return of_field(first, ".".join([prefix] * bool(prefix) + [str(part) for part in first["loc"]]))


def of_field(error: ErrorDetails, field: str) -> Rejected:
    """What is wrong with one field, as a refusal."""
    code = _code(error)
    if code != "field_invalid":
        return Rejected(code, field=field or None)
    en, th = expected.said(error)
    return Rejected(code, field=field or None, expected=en, expected_th=th)


def _code(error: ErrorDetails) -> str:
    if error["type"] == "greater_than_equal" and error["loc"][-1:] == ("amount_baht",):
        return "amount_negative"
    if error["type"].startswith("date_") and _BUDDHIST.fullmatch(str(error.get("input"))):
        return "buddhist_year"
    return _CODES.get(error["type"], "field_invalid")


def answer(refusal: Rejected) -> JSONResponse:
    status = refusal.problem.status
    headers = {"Retry-After": "1"} if refusal.problem.retryable else {}
    if status == 401:  # noqa: PLR2004
        headers["WWW-Authenticate"] = "Bearer"
    return JSONResponse(document(refusal), status, headers, MEDIA_TYPE)


def _of_framework(status: int) -> Rejected:
    """What FastAPI and Starlette raise themselves."""
    if status >= 500:  # noqa: PLR2004
        return Rejected("internal", trace=trace.current())
    codes = {404: "route_unknown", 405: "method_not_allowed"}
    return Rejected(codes.get(status, "request_malformed"))


def install(app: Starlette) -> None:
    """Makes every error of `app` a problem document."""
    app.add_exception_handler(Rejected, _refused)
    app.add_exception_handler(HTTPException, _refused)
    for kind in TRANSIENT:
        app.add_exception_handler(kind, _away)
    app.add_exception_handler(Exception, _broken)


async def _refused(_: Request, error: Exception) -> JSONResponse:
    match error:
        case Rejected():
            return answer(error)
        case HTTPException(status_code=status):
            return answer(_of_framework(status))
    raise error


async def _broken(_: Request, error: Exception) -> JSONResponse:
    log.error("request_failed", exc_info=error)
    return answer(Rejected("internal", trace=trace.current()))


async def _away(_: Request, error: Exception) -> JSONResponse:
    log.warning("store_unavailable", error=type(error).__name__)
    return answer(Rejected("unavailable"))
