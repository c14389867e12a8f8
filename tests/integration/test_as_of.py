"""What was true on one day as it was known on another, through the gateway's door, over the engine's own tables."""

import random
import re
from datetime import UTC, date, datetime, timedelta

import pytest
import pytest_asyncio

from services.gateway.models import AsOf
from services.gateway.queries import bounds, coverage, explain, timeline
from services.gateway.queries import household as card
from services.projections import history
from shared.definitions import DEFINITIONS
from shared.events.catalog import SERVICES
from shared.events.codes import Dimension, HouseholdClass, Level
from shared.runtime.auth import Role
from shared.thai import BANGKOK
from tests.support import gateway as g
from tests.support import projections
from tests.support.log import (
    Log,
    assessed,
    assigned,
    classified,
    delivered,
    ended,
    enrolled,
    helper,
    household,
    registered,
)
from tests.support.projections import feed

KEY, BY = household(1), helper(1)
OCTOBER, NOVEMBER = date(2019, 10, 5), date(2019, 11, 20)
THEN, MARK = "2019-10-31", "2020-01-01T00:00:00+07:00"


def at(day: date, hour: int = 9) -> datetime:
    return datetime(day.year, day.month, day.day, hour, tzinfo=BANGKOK)


async def settle(connection, mark: datetime) -> None:
    for service in SERVICES:
        await connection.execute(
            """INSERT INTO watermark (service, mark, offsets, clock) VALUES ($1, $2, '{}', 'real')
               ON CONFLICT (service) DO UPDATE SET mark = excluded.mark""",
            service,
            mark,
        )


@pytest_asyncio.fixture
async def connection(stage):
    """In October a household is registered, in need and paired; in November a visit of October is entered."""
    await stage[0].clear()
    log = Log()
    log.add(f"household-{KEY}", registered(KEY, on=OCTOBER), recorded_at=at(OCTOBER))
    log.add(f"household-{KEY}", assessed(KEY, OCTOBER, health=True, living=True), recorded_at=at(OCTOBER, 10))
    log.add(f"helper-{BY}", enrolled(BY, on=OCTOBER), recorded_at=at(OCTOBER, 11))
    log.add(f"pairing-{KEY}", assigned(KEY, BY, on=NOVEMBER), recorded_at=at(NOVEMBER, 8))
    visit = delivered(KEY, 1, Dimension.HEALTH, on=date(2019, 10, 20))
    log.add(f"case-{KEY}", visit, recorded_at=at(NOVEMBER))
    await feed(stage[0].connection, log.records)
    await settle(stage[0].connection, datetime.fromisoformat(MARK))
    return stage[0].connection


@pytest_asyncio.fixture
async def client(servers, stage, connection):
    async with g.client(stage[1], g.token(servers)) as client:
        yield client


async def health(client, **params):
    told = (await client.get("/v1/coverage", params={"dimension": "health"} | params)).json()
    return [(f["numerator"], f["denominator"]) for f in told["figures"]], told["as_of"], told["provisional"]


async def test_a_late_entered_visit_changes_last_month_as_known_today_and_not_as_known_then(client):
    told, as_of, provisional = await health(client, valid_on=THEN)
    assert (told, as_of["valid_on"], provisional) == ([(1, 1)], THEN, False)
    told, as_of, provisional = await health(client, known_at=THEN)
    assert (told, as_of["valid_on"], provisional) == ([(0, 1)], THEN, False)
    assert datetime.fromisoformat(as_of["known_at"]) == datetime(2019, 10, 31, 16, 59, 59, 999999, UTC), "Bangkok's end"
    assert (await health(client, valid_on="2019-10-19"))[0] == [(0, 1)], "nobody had come"
    assert (await health(client, known_at="2019-10-04"))[0] == []
    assert (await health(client))[0] == [(1, 1)]


async def test_an_answer_is_final_only_before_the_watermark(client):
    for known_at, provisional in ((MARK, True), ("2019-12-31T23:59:59.999999+07:00", False), ("2020-06-01", True)):
        told = (await client.get("/v1/coverage", params={"known_at": known_at})).json()
        assert told["provisional"] is provisional, known_at


@pytest.mark.parametrize(
    ("path", "params", "field", "code"),
    [
        ("/v1/coverage", {"known_at": "2399-01-01"}, "known_at", "known_at_in_future"),
        ("/v1/pairing", {"known_at": "2399-01-01T00:00:00Z"}, "known_at", "known_at_in_future"),
        ("/v1/working-groups/workload", {"valid_on": "2562-01-31"}, "valid_on", "buddhist_year"),
        ("/v1/coverage/compare", {"known_at": "2562-01-31"}, "known_at", "buddhist_year"),
        (f"/v1/helpers/{BY}/households", {"valid_on": "1899-12-31"}, "valid_on", "date_too_early"),
        (f"/v1/households/{KEY}", {"known_at": "0001-01-01T00:00:00+14:00"}, "known_at", "date_too_early"),
        ("/v1/coverage/explain", {"from_known_at": THEN, "to_valid_on": "2563-01-01"}, "to_valid_on", "buddhist_year"),
        ("/v1/pairing", {"valid_on": "yesterday"}, "valid_on", "field_invalid"),
        (f"/v1/households/{KEY}/timeline", {"valid_on": "2399-01-31"}, "valid_on", "date_in_future"),
        ("/v1/coverage/explain", {"from_known_at": "2399-01-01"}, "from_known_at", "known_at_in_future"),
        ("/v1/coverage", {"known_at": "2019-10-31T10:00:00"}, "known_at", "field_invalid"),
        ("/v1/coverage", {"definition": "coverage-9"}, "definition", "field_invalid"),
        ("/v1/coverage/explain", {"from_known_at": THEN, "level": "district"}, "place", "field_invalid"),
    ],
)
async def test_a_day_that_has_not_come_is_refused(client, path, params, field, code):
    answer = await client.get(path, params=params)
    told = answer.json()
    assert (answer.status_code, told["code"], told["field"]) == (422, code, field)
    assert answer.headers["content-type"] == "application/problem+json"
    assert told["title"]
    assert re.search("[ก-๙]", told["title_th"])


async def test_today_is_a_day_that_can_be_asked_for(client):
    today = datetime.now(BANGKOK).date().isoformat()
    assert (await health(client, known_at=today, valid_on=today))[0] == [(1, 1)]


async def test_pairing_caseload_workload_and_card_as_known_then(client):
    async def both(path):
        return [(await client.get(path, params=params)).json() for params in ({"known_at": THEN}, {})]

    then, now = await both("/v1/pairing")
    assert (then["province"]["unpaired"], now["province"]["unpaired"]) == (1, 0)
    assert (then["province"]["holding_none"], now["province"]["holding_one"]) == (1, 1)
    then, now = await both(f"/v1/helpers/{BY}/households")
    assert (then["households"], now["households"][0]["household"]) == ([], KEY)
    then, now = await both("/v1/working-groups/workload")
    assert [next(d["open"] for d in t["groups"] if d["group"] == "quality-of-life") for t in (then, now)] == [1, 0]
    there = (await client.get("/v1/working-groups/workload", params={"known_at": THEN, "place": "4019"})).json()
    assert there["groups"] == then["groups"]
    then, now = await both(f"/v1/households/{KEY}")
    assert (then["pairs"], len(now["pairs"])) == ([], 1)
    assert (len(then["history"]), len(now["history"])) == (2, 4)
    assert then["streams"] == {f"household-{KEY}": 2}
    reached = [{need["dimension"]: need["reached"] for need in card["needs"]} for card in (then, now)]
    assert reached == [{"health": False, "living": False}, {"health": True, "living": False}]
    for path in (f"/v1/households/{KEY}", f"/v1/helpers/{BY}/households", f"/v1/households/{KEY}/timeline"):
        assert (await client.get(path, params={"known_at": "2019-10-01"})).status_code == 404


async def test_a_timeline_by_day_as_it_was_known(client):
    told = (await client.get(f"/v1/households/{KEY}/timeline")).json()
    days = {day["on"]: [(c["is"], c["began"]) for c in day["changes"]] for day in told["days"]}
    assert list(days) == ["2019-10-05", "2019-10-20", "2019-11-20"]
    assert ({"dimension": "health", "measure": "reached"}, True) in days["2019-10-20"]
    assert ({"dimension": "health", "measure": "unreached"}, False) in days["2019-10-20"]
    assert days["2019-11-20"] == [({"helper": BY, "role": "lead"}, True)]
    then = (await client.get(f"/v1/households/{KEY}/timeline", params={"known_at": THEN})).json()
    assert [day["on"] for day in then["days"]] == ["2019-10-05"]


async def test_a_change_is_explained_down_to_the_household_by_who_may_see_it(servers, stage, client):
    params = {"from_known_at": "2019-10-01", "to_known_at": "2019-12-01", "level": "district", "place": "4019"}
    told = (await client.get("/v1/coverage/explain", params=params)).json()
    assert (told["before"]["denominator"], told["after"]["denominator"], told["after"]["numerator"]) == (0, 2, 1)
    causes = {cause["cause"]: cause for cause in told["causes"]}
    assert causes.keys() == {"new_need", "new_help"}
    assert causes["new_need"]["difference"]["denominator"] == 2
    [fact] = causes["new_help"]["moved"]
    assert (fact["household"], fact["occurred_on"], fact["difference"]["numerator"]) == (KEY, "2019-10-20", 1)
    async with g.client(stage[1], g.token(servers, Role.RESEARCHER)) as researcher:
        answer = await researcher.get("/v1/coverage/explain", params=params)
        assert KEY not in answer.text
        assert [(c["households"], c["moved"]) for c in answer.json()["causes"]] == [(1, None), (1, None)]
    async with g.client(stage[1], g.token(servers, Role.OFFICER, districts=("4007",))) as officer:
        assert KEY not in (await officer.get("/v1/coverage/explain", params=params)).text


async def test_who_may_read_a_household_is_decided_by_where_it_is_now(servers, stage, connection):
    log, moved = Log(), household(10)
    for village, on in (("40190101", OCTOBER), ("40010203", NOVEMBER)):
        log.add(f"household-{moved}", registered(moved, village, on=on), recorded_at=at(on, 14))
    await feed(connection, log.records)
    for district, then in (("4019", None), ("4001", "40190101")):
        async with g.client(stage[1], g.token(servers, Role.OFFICER, districts=(district,))) as officer:
            told = await officer.get(f"/v1/households/{moved}", params={"known_at": THEN})
            days = await officer.get(f"/v1/households/{moved}/timeline", params={"known_at": THEN})
        assert told.json().get("village") == then
        assert [answer.status_code for answer in (told, days)] == ([200, 200] if then else [403, 403])


async def test_one_day_under_two_definitions(client):
    told = (await client.get("/v1/coverage/compare", params={"valid_on": THEN, "dimension": "health"})).json()
    [cell] = told["cells"]
    assert {name: f["numerator"] for name, f in cell["figures"].items()} == {"coverage-1": 1, "coverage-2": 0}
    assert (cell["numerator_difference"], cell["denominator_difference"]) == (-1, 0)
    strict = (await client.get("/v1/coverage", params={"definition": "coverage-2", "dimension": "health"})).json()
    assert (strict["definition"], strict["figures"][0]["numerator"]) == ("coverage-2", 0)
    assert "initial help does not count" in strict["figures"][0]["numerator_definition"]["en"]


async def test_help_outside_need_is_listed_beside_under_each_definition(client, connection):
    log, other = Log(), household(8)
    log.add(f"household-{other}", registered(other, on=OCTOBER), recorded_at=at(OCTOBER, 12))
    first, more = (delivered(other, n, Dimension.OCCUPATION, on=day) for n, day in ((7, OCTOBER), (8, NOVEMBER)))
    log.add(f"case-{other}", first, recorded_at=at(OCTOBER, 13))
    log.add(f"case-{other}", more.model_copy(update={"level": Level.CONTINUING}), recorded_at=at(NOVEMBER, 13))
    await feed(connection, log.records)
    for known_at, beside in ((THEN, {"coverage-1": 1, "coverage-2": 0}), ("2019-12-01", dict.fromkeys(DEFINITIONS, 1))):
        params = {"known_at": known_at, "dimension": "occupation"}
        [cell] = (await client.get("/v1/coverage/compare", params=params)).json()["cells"]
        told = {name: figure["outside_need"] if figure else 0 for name, figure in cell["figures"].items()}
        assert told == beside
        assert {(f["numerator"], f["denominator"]) for f in cell["figures"].values() if f} == {(0, 0)}


async def test_what_was_final_stays_and_every_change_adds_up(connection):
    """A year of random facts in batches, some late; blocks are made as the watermark moves on."""
    draw, log, final = random.Random(11), Log(), {}
    moment, keys = at(date(2019, 12, 1)), [household(n) for n in range(10, 22)]
    for key in keys:
        village = draw.choice(("40190101", "40190201", "40010101"))
        log.add(f"household-{key}", registered(key, village, on=OCTOBER), recorded_at=moment)
    waiting, log.records[:] = list(log.records), []
    for batch in range(20):
        for _ in range(12):
            moment += timedelta(hours=draw.randint(1, 40))
            stream, event = _any(draw, draw.choice(keys), moment.date())
            log.add(stream, event, recorded_at=moment)
        late = draw.choice(log.records).topic
        held = [r for r in log.records if r.topic == late and batch < 19]
        await feed(connection, waiting + [r for r in log.records if r not in held])
        waiting, log.records[:] = held, []
        mark = min((datetime.fromisoformat(dict(r.headers)["ce_time"].decode()) for r in held), default=moment)
        await settle(connection, mark)
        while await history.compact(connection, 2):
            pass
        final |= {point: await _figures(connection, point) for point in _points(draw, mark)}
    assert await connection.fetchval("SELECT max(level) FROM coverage_block") >= 2
    for point, told in final.items():
        assert await _figures(connection, point) == told
    for _ in range(30):
        one, other = draw.choices(list(final), k=2)
        for question in (coverage.Question(), coverage.Question("district", "4019", Dimension.HEALTH)):
            await explain.read(connection, question, _as_of(one), _as_of(other))


async def test_a_card_as_known_then_is_what_the_facts_of_then_come_to(connection, servers):
    draw, log, moment, key = random.Random(3), Log(), at(OCTOBER), household(5)
    log.add(f"household-{key}", registered(key, on=OCTOBER), recorded_at=moment)
    for _ in range(25):
        moment += timedelta(hours=draw.randint(0, 60))
        log.add(*_any(draw, key, moment.date()), recorded_at=moment)
        if draw.random() < 0.3:
            change = draw.choice([assigned, ended])(key, BY, moment.date() - timedelta(days=draw.randint(0, 9)))
            log.add(f"pairing-{key}", change, recorded_at=moment)
    await feed(connection, log.records)
    recorded = {id(r): datetime.fromisoformat(dict(r.headers)["ce_time"].decode()) for r in log.records}
    for known_at in sorted(set(recorded.values()))[::4]:
        async with projections.tables(servers.admin_dsn) as then:
            await feed(then, [r for r in log.records if recorded[id(r)] <= known_at])
            as_of = AsOf(valid_on=known_at.astimezone(BANGKOK).date(), known_at=known_at)
            one, other = await card.read(connection, key, *bounds(as_of)), await card.read(then, key)
            assert card.card(key, one, past=True) == card.card(key, other)
            now = await timeline.read(then, key, "coverage-1", None)
            assert await timeline.read(connection, key, "coverage-1", as_of) == now


def _any(draw, key, today):
    on = max(OCTOBER, today - timedelta(days=draw.randint(0, 60)))
    dimension, number = draw.choice([Dimension.HEALTH, Dimension.LIVING]), draw.randint(1, 10**9)
    return draw.choice(
        [
            (f"household-{key}", assessed(key, on, **{dimension.value: draw.random() < 0.7})),
            (f"household-{key}", classified(key, draw.choice(list(HouseholdClass)), on)),
            (f"case-{key}", delivered(key, number, dimension, on=on, level=draw.choice(list(Level)))),
        ]
    )


def _points(draw, mark):
    for _ in range(4):
        known_at = mark - timedelta(hours=draw.randint(1, 4000))
        yield known_at.date() - timedelta(days=draw.randint(0, 60)), known_at


def _as_of(point):
    return AsOf(valid_on=point[0], known_at=point[1])


async def _figures(connection, point):
    return [
        tuple(row)
        for definition in ("coverage-1", "coverage-2")
        for row in await coverage.rows(
            connection, coverage.Question("subdistrict", definition=definition), _as_of(point)
        )
    ]
