"""The gateway's small parts: what it reads of a body, what it masks, what it labels, how its feed wakes up."""

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator
from datetime import date
from pathlib import Path
from typing import get_args

import asyncpg
import pytest
from fastapi import FastAPI
from fastapi.routing import APIRoute
from structlog.testing import capture_logs

from services.gateway import (
    body,
    changes,
    changes_models,
    changes_page,
    counts,
    forward,
    labels,
    models,
    openapi,
    pages,
    reads,
    session,
    snapshot,
    tiles,
)
from services.gateway.feed import Feed, State
from services.gateway.queries import explain
from services.gateway.queries.household import MASK, masked
from shared import places, published
from shared.definitions import DEFINITIONS
from shared.errors import Rejected
from shared.events.catalog import COMMANDS, EVENTS, SERVICES
from shared.events.codes import Dimension, ExitReason, SubGroup


def test_type_and_data_of_a_command():
    assert body.peek(b'{"type": "A.v1", "id": "1", "data": {"village": "40190101"}}') == (
        "A.v1",
        {"village": "40190101"},
    )


@pytest.mark.parametrize(
    ("odd", "type_name"), [("{}", ""), ('{"type": 1, "data": {}}', "1"), ('{"type": "A.v1", "data": []}', "A.v1")]
)
def test_of_what_is_no_command_no_data_is_read(odd, type_name):
    assert body.peek(odd.encode()) == (type_name, {})


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        (b"{", "json_malformed"),
        (b"\xff\xfe", "json_malformed"),
        (b"[" * 100_000, "json_malformed"),
        (b'{"type": "A.v1"\0}', "nul_byte"),
        (b"[]", "json_not_object"),
        (b"1", "json_not_object"),
        (b'"text"', "json_not_object"),
        (b'{"type": "A.v1", "data": {}, "type": "B.v1"}', "json_duplicate_name"),
        (b'{"type": "A.v1", "data": {"village": "40190101", "village": "40010101"}}', "json_duplicate_name"),
    ],
)
def test_a_body_that_could_be_read_in_two_ways_or_none_is_refused(raw, code):
    with pytest.raises(Rejected, match=code):
        body.peek(raw)


def test_a_name_that_occurs_twice_is_named():
    with pytest.raises(Rejected) as refused:
        body.peek(b'{"type": "A.v1", "data": {"village": "40190101", "x": 1, "village": "40010101"}}')
    assert refused.value.field == "village"


def test_levels_are_named_in_thai():
    with pytest.raises(Rejected) as refused:
        reads.Ask(place="40190101").check("district")
    assert refused.value.facts["expected_th"] == "พื้นที่ไม่เล็กกว่าระดับอำเภอ"
    assert refused.value.facts["expected"] == "at most a district"


def test_every_sealed_detail_is_masked_and_nothing_else():
    data = {"members": [{"person": "pr_1", "sealed": "Zm9v"}], "address_sealed": "YmFy", "village": "40190101"}
    shown = {"members": [{"person": "pr_1", "sealed": MASK}], "address_sealed": MASK, "village": "40190101"}
    assert masked(data) == shown


def test_an_answers_tag_changes_with_the_day_that_it_describes():
    at = {"position": {"registry": 1}, "newest_fact": None, "watermark": None, "provisional": True, "stale": False}
    at |= {"awaits_rebuild": False, "generation": 1}
    days = [models.AsOf(valid_on=date(2020, 1, day), known_at=None) for day in (1, 2, 1)]
    one, other, again = (snapshot.tag(models.Standing(as_of=day, **at)) for day in days)
    assert one == again != other


def test_every_code_has_both_its_words():
    assert set(labels.DIMENSIONS) == set(published.BY_DIMENSION) == set(Dimension)
    assert set(labels.SUB_GROUPS) == set(SubGroup)
    assert set(labels.EXIT_REASONS) == set(ExitReason)


@pytest.mark.parametrize(("told", "model"), [(counts.PAIRING, models.PairingSums), (counts.WORK, models.Work)])
def test_every_count_is_defined_and_names_its_denominator(told, model):
    assert set(told) == set(model.model_fields)
    assert {one.of for one in told.values() if one.of} <= set(told)
    assert all(told[one.of].of is None for one in told.values() if one.of)
    assert len({one.id for one in told.values()}) == len(told)
    for one in told.values():
        assert one.en.isascii()
        assert not one.th.isascii()


def test_every_district_has_a_tile_of_its_own():
    assert set(tiles.TILES) == set(places.districts_of(places.KHON_KAEN))
    assert len(set(tiles.TILES.values())) == len(tiles.TILES)


def test_tiles_lie_as_the_districts_do():
    row_of, column_of = ({code: at[i] for code, at in tiles.TILES.items()} for i in (0, 1))
    assert row_of["4019"] < row_of["4007"] < row_of["4001"] < row_of["4010"] < row_of["4015"]  # north to south
    assert column_of["4020"] < column_of["4005"] < column_of["4004"] < column_of["4001"] < column_of["4021"]


async def test_one_poller_serves_all_who_watch(monkeypatch):
    monkeypatch.setattr("services.gateway.feed.POLL_SECONDS", 0.01)
    position, looks, renders = 1, 0, 0

    async def look() -> str:
        nonlocal looks
        looks += 1
        return str(position)

    async def render() -> State:
        nonlocal renders
        renders += 1
        return State(str(position), f"<p>{position}</p>")

    feed = Feed(look, render, "")
    polling = asyncio.create_task(feed.run())
    await asyncio.sleep(0.05)
    assert (looks, renders) == (0, 0), "nobody watches, nothing is asked"
    watchers = [feed.states() for _ in range(20)]
    assert {(await anext(w)).key for w in watchers} == {"1"}
    position = 2
    assert {(await anext(w)).html for w in watchers} == {"<p>2</p>"}
    assert renders == 2
    for watcher in watchers:
        await watcher.aclose()
    await asyncio.sleep(0.05)
    asked = looks
    await asyncio.sleep(0.05)
    assert looks == asked, "the last one left"
    polling.cancel()


AWAY = [ConnectionRefusedError(), ConnectionResetError()]
UNFORESEEN = [asyncpg.InvalidCachedStatementError("a migration came between"), KeyError("x"), ZeroDivisionError()]


@pytest.mark.parametrize(("errors", "said"), [(AWAY, "live_page_waits"), (UNFORESEEN, "live_page_broken")])
async def test_the_feed_outlives_whatever_goes_wrong_and_says_so(monkeypatch, errors, said):
    monkeypatch.setattr("services.gateway.feed.POLL_SECONDS", 0.01)
    monkeypatch.setattr("services.gateway.feed.BROKEN_SECONDS", 0.02)
    answers = iter([*errors, State("1", "")])

    async def render() -> State:
        answer = next(answers)
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def look() -> str:
        return "1"

    feed = Feed(look, render, "")
    with capture_logs() as logged:
        polling = asyncio.create_task(feed.run())
        async with asyncio.timeout(5):
            assert State("1", "") in [state async for state in up_to("1", feed)]
    polling.cancel()
    assert [line["event"] for line in logged] == [said] * len(errors)


async def up_to(key: str, feed: Feed) -> AsyncIterator[State]:
    async for state in feed.states():
        yield state
        if state.key == key:
            return


async def test_who_watches_is_told_that_figures_wait_above_those_of_before(monkeypatch):
    monkeypatch.setattr("services.gateway.feed.POLL_SECONDS", 0.01)
    taken_away = asyncpg.UndefinedTableError('relation "checkpoint" does not exist')
    looks = iter([taken_away, asyncpg.InvalidSchemaNameError(), "2"])
    renders = iter([State("1", "<p>1</p>"), State("2", "<p>2</p>")])

    async def look() -> str:
        answer = next(looks)
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def render() -> State:
        return next(renders)

    feed = Feed(look, render, "<b>wait</b>")
    polling = asyncio.create_task(feed.run())
    async with asyncio.timeout(5):
        shown = [state.html async for state in up_to("2", feed)]
    polling.cancel()
    assert shown == ["<p>1</p>", "<b>wait</b><p>1</p>", "<p>2</p>"]


def test_the_openapi_document_knows_every_command_and_can_be_read():
    app = FastAPI()
    app.include_router(forward.router)
    app.include_router(reads.router)
    app.include_router(changes.router)
    told = openapi.document(app)
    text = json.dumps(told)
    references = {part.split('"')[0] for part in text.split("#/components/schemas/")[1:]}
    assert references <= set(told["components"]["schemas"]), "every reference leads somewhere"
    for types in COMMANDS.values():
        for name in types:
            assert json.dumps({"const": name}) in text
    asked = [parameter["name"] for parameter in told["paths"]["/v1/households/{id}"]["get"]["parameters"]]
    assert asked == ["id", "valid_on", "known_at", "siao-after", "if-none-match"]


def test_every_question_that_can_be_asked_of_the_past_says_so():
    app = FastAPI()
    app.include_router(reads.router)
    app.include_router(changes.router)
    paths = openapi.get_openapi(title="", version="", routes=app.routes)["paths"]
    taken = {path: {p["name"] for p in way["get"].get("parameters", ())} for path, way in paths.items()}
    both = {path for path, names in taken.items() if {"valid_on", "known_at"} <= names}
    assert taken.keys() - both == {"/v1/coverage/explain", "/v1/freshness"}
    points = {f"{end}_{clock}" for end in ("from", "to") for clock in ("valid_on", "known_at")}
    assert points <= taken["/v1/coverage/explain"]


def test_the_readme_names_every_address():
    routers = (forward.router, changes.router, reads.router, pages.router, changes_page.router, session.router)
    paths = {route.path for router in routers for route in router.routes if isinstance(route, APIRoute)}
    readme = (Path(forward.__file__).parent / "README.md").read_text(encoding="utf-8")
    for service in SERVICES:
        readme += readme.replace("{service}", service)
    assert {path for path in paths if f"{path}`" not in readme} == set()


def test_every_fact_of_a_household_has_a_cause():
    """But pairs, which coverage does not look at."""
    fields = {name: event.model_fields for name, event in EVENTS.items()}
    assert {n for n, of in fields.items() if "household" in of and "helper" not in of} == set(explain.CAUSES)
    assert {*explain.CAUSES.values(), "need_ended"} <= set(labels.CAUSES)


def test_a_month_ago_is_the_same_day_or_the_last_of_its_month():
    days = (date(2020, 11, 2), date(2020, 1, 31), date(2020, 3, 31))
    ago = [date(2020, 10, 2), date(2019, 12, 31), date(2020, 2, 29)]
    assert [changes_page.month_before(day) for day in days] == ago


def test_what_the_page_of_changes_shows_has_a_word():
    assert set(labels.MEASURES) == set(changes_models.Sums.model_fields)


def test_every_definition_can_be_asked_for():
    assert set(get_args(reads.Which)) == set(DEFINITIONS)


def test_what_does_not_add_up_is_not_told():
    cause = explain.Cause("new_need", 1, 1, Counter(need=1))
    explain.check(Counter(need=1), Counter(need=2), [cause])
    with pytest.raises(explain.DoesNotAddUp):
        explain.check(Counter(need=1), Counter(need=1), [cause])
