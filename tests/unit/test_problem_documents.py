"""What HTTP callers are told when something is wrong with the request itself, whatever they sent."""

from datetime import UTC, date, datetime

import httpx
import pytest
from fastapi import FastAPI, HTTPException
from prometheus_client import REGISTRY

from shared.errors import Rejected
from shared.events.codes import PairRole
from shared.runtime import after, problems, web
from shared.runtime.auth import Role

HALF = "\ud83d"
"""Half of a surrogate pair: JSON can name it, UTF-8 cannot carry it."""


@pytest.mark.parametrize("header", ["x@9999999999", "x@2147483648", "x@" + "1" * 4_400, "x@", "@1", "x@-1", "x@²", "x"])
def test_a_version_that_no_stream_can_have_is_refused(header: str) -> None:
    with pytest.raises(Rejected) as refused:
        after.parse(header)
    told = problems.document(refused.value)
    assert (told["code"], told["field"]) == ("field_invalid", "Siao-After")
    assert "9 digits" in told["title"]
    assert "9 หลัก" in told["title_th"]


def test_the_greatest_version_asked_for_counts() -> None:
    assert after.parse("x@3, y@999999999,x@2") == {"x": 3, "y": 999_999_999}


def test_a_name_that_utf_8_cannot_carry_does_not_break_the_answer() -> None:
    answer = problems.answer(Rejected("place_unknown", field=f"a{HALF}", place=HALF + "n" * 100_000))
    assert answer.status_code == 422
    assert len(answer.body) < 10_000


def test_a_day_is_of_the_buddhist_era_in_thai() -> None:
    told = problems.document(Rejected("date_in_future", field="data.occurred_on", today=date(2020, 11, 2)))
    assert "2020-11-02" in told["title"]
    assert "2 พฤศจิกายน 2563" in told["title_th"]
    assert told["today"] == "2020-11-02"


def test_a_moment_is_of_the_buddhist_era_and_of_bangkok_in_thai() -> None:
    told = problems.document(Rejected("known_at_in_future", now=datetime(2020, 11, 2, 2, 30, tzinfo=UTC)))
    assert told["now"] == "2020-11-02T02:30:00+00:00"
    assert told["now"] in told["title"]
    assert "2 พฤศจิกายน 2563 เวลา 09.30 น." in told["title_th"]


@pytest.mark.parametrize("role", [*Role, *PairRole])
def test_a_role_is_a_thai_word_in_a_thai_sentence(role: Role | PairRole) -> None:
    told = problems.document(Rejected("pair_assigned_otherwise", role=role, day=date(2019, 9, 20)))
    assert told["role"] == role.value
    assert role.value in told["title"]
    assert role.value not in told["title_th"]
    assert f"บทบาท {problems.ROLES[role]}" in told["title_th"]


def app() -> httpx.AsyncClient:
    async def raising(status: int) -> None:
        raise HTTPException(status)

    made = FastAPI()
    made.get("/raise/{status}")(raising)

    async def ready() -> dict[str, object]:
        return {}

    return httpx.AsyncClient(transport=httpx.ASGITransport(web.equip(made, ready)), base_url="http://x")


@pytest.mark.parametrize(
    ("status", "told", "code"),
    [
        (400, 400, "request_malformed"),
        (401, 400, "request_malformed"),
        (404, 404, "route_unknown"),
        (405, 405, "method_not_allowed"),
        (422, 400, "request_malformed"),
        (500, 500, "internal"),
    ],
)
async def test_what_the_framework_refuses_has_a_code_that_fits(status: int, told: int, code: str) -> None:
    async with app() as client:
        answer = await client.get(f"/raise/{status}")
    assert (answer.status_code, answer.json()["code"]) == (told, code)
    assert answer.headers["content-type"] == "application/problem+json"


async def test_a_caller_cannot_make_metrics_grow_with_methods_of_its_own() -> None:
    async with app() as client:
        for method in ("BREW", "PROPFIND", "X" * 1_000):
            assert (await client.request(method, "/nowhere")).status_code == 404
    seen = {s.labels["method"] for m in REGISTRY.collect() if m.name == "siao_http_requests" for s in m.samples}
    assert seen <= web.METHODS | {"other"}
    assert "other" in seen
