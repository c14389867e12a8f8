"""The page in a real browser: signing in, the published table, live figures, a phone, and no foreign address."""

import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, async_playwright, expect

from shared.events.codes import Dimension
from shared.runtime.auth import Role
from tests.support import gateway as g
from tests.support.log import START, Log, assessed, delivered, household, registered
from tests.support.projections import feed
from tests.support.servers import free_port

CHROMIUM = shutil.which("chromium")
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="needs Debian's chromium")

TABLE = {
    "welfare": (929, 1174, "79.13", "79.13"),
    "health": (1174, 1174, "100.00", "100.00"),
    "occupation": (595, 625, "95.20", "95.20"),
    "education": (266, 367, "72.48", "72.47"),
    "living": (1174, 1174, "100.00", "100.00"),
}


@pytest_asyncio.fixture(scope="module")
async def stage(servers):
    async with g.tables(servers) as (tables, dsn), g.gateway(servers, dsn, clock="simulated") as url:
        yield tables, url


@pytest_asyncio.fixture
async def tables(stage):
    tables = stage[0]
    await tables.clear()
    await tables.at(registry=100)
    await tables.mark()
    for dimension, (reached, need, *_) in TABLE.items():
        for measure, n in (("need", need), ("reached", reached), ("unreached", need - reached)):
            await tables.counted(village="40190101", dimension=dimension, measure=measure, n=n)
    return tables


@pytest_asyncio.fixture(scope="module")
async def browser() -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=list(FLAGS))
        yield browser
        await browser.close()


@asynccontextmanager
async def opened(browser: Browser, url: str, token: str, width: int = 1280) -> AsyncIterator[Page]:
    """A signed-in page. Fails at its end if it asked another host for anything, or complained."""
    context = await browser.new_context(viewport={"width": width, "height": 844})
    page = await context.new_page()
    asked: list[str] = []
    complaints: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    await page.goto(f"{url}/#token={token}")
    try:
        yield page
    finally:
        await context.close()
    assert [one for one in asked if not one.startswith((url, "data:"))] == []
    assert complaints == []


def cell(page: Page, name: str):
    return page.locator(f"[data-cell='{name}']")


async def test_a_token_in_the_address_signs_in_and_is_gone_from_it(servers, stage, tables, browser):
    async with opened(browser, stage[1], g.token(servers, Role.GOVERNOR)) as page:
        await expect(page.locator("h1")).to_contain_text("คู่เสี่ยว เกี่ยวก้อย แก้จนคนขอนแก่น")
        assert page.url == f"{stage[1]}/"
        [cookie] = await page.context.cookies()
        assert cookie["httpOnly"]
        assert cookie["sameSite"] == "Strict"
        assert await page.evaluate("document.cookie") == ""


async def test_a_token_can_be_typed_in_and_one_can_sign_out(servers, stage, tables, browser):
    context = await browser.new_context()
    page = await context.new_page()
    await page.goto(stage[1])
    await page.get_by_label("โทเคนของท่าน").fill("nonsense")
    await page.get_by_role("button", name="เข้าสู่ระบบ").click()
    await expect(page.get_by_role("alert")).to_contain_text("โทเคนนี้ไม่ได้ออกให้ระบบนี้")
    await page.get_by_label("โทเคนของท่าน").fill(g.token(servers))
    await page.get_by_role("button", name="เข้าสู่ระบบ").click()
    await page.get_by_role("button", name="ออกจากระบบ").click()
    await expect(page).to_have_url(f"{stage[1]}/sign-in")
    await context.close()


async def test_the_published_table_is_there_to_the_digit(servers, stage, tables, browser):
    async with opened(browser, stage[1], g.token(servers)) as page:
        for dimension, (reached, need, half_up, truncated) in TABLE.items():
            row = page.locator("tr", has=cell(page, f"{dimension}-reached"))
            await expect(cell(page, f"{dimension}-reached")).to_have_text(f"{reached:,}")
            await expect(cell(page, f"{dimension}-percent")).to_have_text(half_up)
            text = await row.inner_text()
            assert f"/ {need:,}" in text
            assert truncated in text
        await expect(page.locator("#h-published")).to_be_visible()
        text = await page.locator("main").inner_text()
        assert "929 เป็นค่าอนุมาน" in text
        assert "266 of 367 is 72.4795…: printed truncated, 72.48 when rounded." in text


async def test_a_change_arrives_without_a_reload_and_is_said_quietly(servers, stage, tables, browser):
    async with opened(browser, stage[1], g.token(servers)) as page:
        await expect(page.locator("#link-state")).to_have_text("เชื่อมต่อสด")
        await page.evaluate("window.sameDocument = true")
        async with tables.connection.transaction():
            await tables.connection.execute(
                "UPDATE coverage_rollup SET n = 930 WHERE dimension = 'welfare' AND measure = 'reached'"
            )
            await tables.at(registry=101)
        await expect(cell(page, "welfare-reached")).to_have_text("930", timeout=5000)
        await expect(cell(page, "welfare-percent")).to_have_text("79.22")
        await expect(cell(page, "position")).to_contain_text("registry 101")
        await expect(page.locator("[aria-live=polite]")).to_contain_text("ปรับปรุงแล้ว")
        assert await page.evaluate("window.sameDocument") is True


async def test_who_is_no_longer_signed_in_is_shown_the_door(servers, stage, tables, browser):
    """A token that runs out while the page is open: 5 seconds, which verifying grants every clock."""
    async with opened(browser, stage[1], g.token(servers, seconds=0)) as page:
        await expect(page.locator("#link-state")).to_have_text("เชื่อมต่อสด")
        await page.wait_for_timeout(5500)
        await tables.at(registry=102)
        await expect(page.get_by_role("alert")).to_contain_text("โทเคนหมดอายุ", timeout=5000)


@pytest.mark.parametrize("width", [390, 768, 1280])
async def test_nothing_is_wider_than_the_screen(servers, stage, tables, browser, width):
    async with opened(browser, stage[1], g.token(servers), width) as page:
        await expect(cell(page, "all")).to_be_visible()
        assert await page.evaluate("document.documentElement.scrollWidth") == width


async def test_a_table_that_is_scrolled_on_a_phone_keeps_its_names(servers, stage, tables, browser):
    async with opened(browser, stage[1], g.token(servers), 390) as page:
        await page.locator(".districts").evaluate("table => table.parentElement.scrollLeft = 200")
        for part in "thead", "tbody", "tfoot":
            box = await page.locator(f".districts {part} tr th:first-child").first.bounding_box()
            assert 0 <= box["x"] < 390 / 4, part


@pytest.mark.parametrize("width", [390, 1280])
async def test_what_changed_can_be_followed_without_a_script(servers, stage, tables, browser, width):
    await tables.clear()
    key, log = household(1), Log()
    for stream, event, day in (
        ("household", registered(key), START),
        ("household", assessed(key, health=True), START),
        ("case", delivered(key, 1, Dimension.HEALTH), START + timedelta(40)),
    ):
        log.add(f"{stream}-{key}", event, recorded_at=day)
    await feed(tables.connection, log.records)
    context = await browser.new_context(java_script_enabled=False, viewport={"width": width, "height": 844})
    page = await context.new_page()
    await page.goto(stage[1])
    await page.get_by_label("โทเคนของท่าน").fill(g.token(servers, Role.GOVERNOR))
    await page.get_by_role("button", name="เข้าสู่ระบบ").click()
    await page.locator("a[href='/changes?dimension=health']").click()
    for row, told in ("before", "0"), ("new_help", "+1"), ("after", "1"):
        await expect(cell(page, f"{row}-numerator")).to_have_text(told)
    assert key not in await page.content()
    await page.get_by_label("พื้นที่").select_option("4001")
    await page.get_by_role("button", name="ดูการเปลี่ยนแปลง").click()
    await expect(cell(page, "after-denominator")).to_have_text("0")
    await expect(page.locator("body")).to_contain_text("ไม่มีอะไรเปลี่ยนไป")
    right = await page.locator("main *").evaluate_all(
        "all => Math.max(...all.map(e => e.getBoundingClientRect().right))"
    )
    assert right <= width
    await context.close()


async def test_who_cannot_see_the_page_is_told_the_same(servers, stage, tables, browser):
    async with opened(browser, stage[1], g.token(servers)) as page:
        await expect(page.locator("#link-state")).to_have_text("เชื่อมต่อสด")
        assert await page.evaluate("document.documentElement.lang") == "th"
        levels = await page.eval_on_selector_all("h1, h2", "all => all.map(one => one.tagName)")
        assert levels[0] == "H1"
        assert levels.count("H1") == 1
        unlabelled = "all => all.filter(one => !one.getAttribute('aria-label')).length"
        assert await page.eval_on_selector_all("svg[role=img]", unlabelled) == 0
        assert await page.locator("table th[scope]").count() > 30
        await expect(page.locator(".tile")).to_have_count(26)


async def test_the_api_is_described_without_a_foreign_host(servers, stage, tables, browser):
    async with opened(browser, stage[1], g.token(servers)) as page:
        await expect(page.locator("#link-state")).to_have_text("เชื่อมต่อสด")
        await page.goto(f"{stage[1]}/docs")
        described = await (await page.request.get(f"{stage[1]}/openapi.json")).json()
        operations = sum(len(methods) for methods in described["paths"].values())
        assert operations >= 15
        await expect(page.locator(".opblock")).to_have_count(operations)


async def test_a_gateway_that_goes_away_is_said_and_found_again(servers, tables, browser):
    async with g.tables(servers) as (_, dsn):
        context = await browser.new_context()
        page, port = await context.new_page(), free_port()
        async with g.gateway(servers, dsn, port=port) as url:
            await page.goto(f"{url}/#token={g.token(servers)}")
            await expect(page.locator("#link-state")).to_have_text("เชื่อมต่อสด")
        await expect(page.locator("#link-state")).to_contain_text("ขาดการเชื่อมต่อ")
        async with g.gateway(servers, dsn, port=port):
            await expect(page.locator("#link-state")).to_have_text("เชื่อมต่อสด", timeout=15_000)
            await context.close()
