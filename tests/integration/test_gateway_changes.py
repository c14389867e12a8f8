"""The page of what changed, over the engine's own tables: it adds up, and names households to who may see them."""

import re
from datetime import date, datetime

import pytest
import pytest_asyncio

from shared.events.codes import Dimension
from shared.runtime.auth import Role
from shared.thai import BANGKOK
from tests.support import gateway as g
from tests.support import mended as m
from tests.support.log import Log, assessed, delivered, household, registered
from tests.support.projections import feed

ONE, OTHER = household(1), household(2)
OCTOBER, NOVEMBER = date(2019, 10, 5), date(2019, 11, 20)
CELL = re.compile(r'data-cell="(\w+)-(numerator|denominator|open|resolved|outside_need)">([^<]+)<')
ASKED = {"dimension": "health", "from_known_at": "2019-10-31"}


@pytest_asyncio.fixture
async def url(stage):
    """Two households are in need. In October one is helped; in November that turns out wrong, and the other is."""
    await stage[0].clear()
    log = Log()
    for key in ONE, OTHER:
        log.add(f"household-{key}", registered(key, on=OCTOBER), recorded_at=_at(OCTOBER))
        log.add(f"household-{key}", assessed(key, OCTOBER, health=True), recorded_at=_at(OCTOBER))
    for key, day in (ONE, OCTOBER), (OTHER, NOVEMBER):
        help_given = delivered(key, key[-1], Dimension.HEALTH, on=day)
        log.add(f"case-{key}", help_given, recorded_at=_at(day))
    log.add(f"case-{ONE}", m.help_voided(ONE, ONE[-1], on=NOVEMBER), recorded_at=_at(NOVEMBER))
    await feed(stage[0].connection, log.records)
    return stage[1]


def _at(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, 9, tzinfo=BANGKOK)


@pytest.fixture
def page(servers, url):
    async def opened(role: Role = Role.GOVERNOR, districts: tuple[str, ...] = (), **asked: str):
        async with g.client(url) as client:
            await client.post("/session", data={"token": g.token(servers, role, districts=districts)})
            return await client.get("/changes", params=asked)

    return opened


def _read(text: str) -> dict[str, dict[str, int]]:
    """Row -> measure -> number."""
    rows: dict[str, dict[str, int]] = {}
    for row, measure, number in CELL.findall(text):
        rows.setdefault(row, {})[measure] = int(number.replace("−", "-").replace(",", ""))
    return rows


async def test_the_causes_on_the_page_add_up_from_the_first_figure_to_the_second(page):
    answer = await page(dimension="health")
    rows = _read(answer.text)
    assert list(rows) == ["before", "correction", "new_help", "after"]
    assert [row["numerator"] for row in rows.values()] == [1, -1, 1, 1]
    before, *causes, after = rows.values()
    for measure, number in before.items():
        assert number + sum(cause[measure] for cause in causes) == after[measure], measure
    assert 'value="2019-10-20"' in answer.text, "a month before the newest fact"
    assert "20 ตุลาคม 2562" in answer.text
    assert "แก้ไขหรือยกเลิกข้อมูล" in answer.text


async def test_what_may_still_change_is_marked_provisional(page, stage):
    assert 'data-cell="provisional"' in (await page(**ASKED)).text
    await stage[0].mark()
    assert 'data-cell="provisional"' not in (await page(**ASKED, to_known_at="2019-11-30")).text


async def test_a_month_without_change_says_so(page):
    answer = await page(**ASKED, to_known_at="2019-11-01")
    assert list(_read(answer.text)) == ["before", "after"]
    assert "ไม่มีอะไรเปลี่ยนไป" in answer.text


async def test_where_nothing_was_published_yet_the_page_says_so(page, stage):
    assert "ยังไม่มีข้อมูลจากหน่วยงานใด" not in (await page()).text
    await stage[0].clear()
    answer = await page()
    assert "ยังไม่มีข้อมูลจากหน่วยงานใด" in answer.text
    assert {number for row in _read(answer.text).values() for number in row.values()} == {0}


@pytest.mark.parametrize(
    ("role", "districts", "named"),
    [
        (Role.SECRETARIAT, (), True),
        (Role.AUDITOR, (), True),
        (Role.OFFICER, ("4019",), True),
        (Role.OFFICER, ("4007",), False),
        (Role.GOVERNOR, (), False),
        (Role.WORKING_GROUP, (), False),
        (Role.RESEARCHER, (), False),
    ],
)
async def test_households_are_named_only_to_who_works_on_cases_there(page, role, districts, named):
    answer = await page(role, districts, **ASKED, place="4019")
    assert answer.status_code == 200
    assert [key in answer.text for key in (ONE, OTHER)] == [named, named]
    assert "hh_" not in (await page(Role.OFFICER, ("4019",), **ASKED)).text, "the province is not theirs"


async def test_a_village_is_shown_to_who_works_on_cases_alone(page):
    refused = await page(Role.GOVERNOR, **ASKED, place="40190101")
    assert (refused.status_code, _read(refused.text)) == (403, {})
    assert "บทบาท ผู้ว่าราชการจังหวัด ไม่มีสิทธิ์ดู" in refused.text
    shown = await page(Role.SECRETARIAT, **ASKED, place="40190101")
    assert _read(shown.text)["after"]["denominator"] == 2
    assert '<option value="40190101" selected>' in shown.text


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({"to_known_at": "2563-01-01"}, "พุทธศักราช"),
        ({"from_known_at": "2399-01-01"}, "ยังไม่ถึงเวลานั้น"),
        ({"to_valid_on": "2399-01-01"}, "วันที่อยู่หลังวันนี้"),
        ({"from_valid_on": "yesterday"}, "ข้อมูลช่องนี้ไม่ถูกต้อง"),
        ({"place": "4099"}, "ไม่พบตำบลหรืออำเภอรหัส"),
        ({"place": "401"}, "ข้อมูลช่องนี้ไม่ถูกต้อง"),
        ({"dimension": "hope"}, "ข้อมูลช่องนี้ไม่ถูกต้อง"),
        ({"plcae": "4019"}, "ไม่มีช่องข้อมูลชื่อนี้"),
    ],
)
async def test_what_is_wrong_with_the_form_is_said_on_the_page(page, asked, words):
    answer = await page(**asked)
    assert (answer.status_code, answer.headers["content-type"]) == (422, "text/html; charset=utf-8")
    assert words in answer.text
    assert _read(answer.text) == {}


async def test_who_is_not_signed_in_is_shown_where_to(url):
    async with g.client(url) as client:
        answer = await client.get("/changes")
    assert (answer.status_code, answer.headers["location"]) == (303, "/sign-in")
