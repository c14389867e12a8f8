"""How fresh an answer is, of which moment, and who may know it."""

import asyncio
import time
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, timedelta

import pytest

from services.gateway import arrivals, dashboard
from shared.runtime import postgres
from shared.thai import BANGKOK
from tests.support import gateway as g

HH, OTHER, HP = "hh_" + "1" * 20, "hh_" + "2" * 20, "hp_" + "1" * 20
VILLAGE = "40190101"


async def test_freshness_per_service_per_agency_and_what_could_not_be_read(tables, client):
    when = datetime(2020, 1, 2, tzinfo=UTC)
    for partition, events in ((0, 3), (1, 4)):
        row = {"service": "registry", "agency": "x", "occurred_on": date(2020, 1, 1 + partition), "events": events}
        await tables.add("freshness", partition=partition, recorded_at=when + timedelta(days=partition), **row)
    await tables.mark(registry=14)
    await tables.add(
        "quarantine", topic="t", partition=0, offset=1, reason="unreadable", size=1, headers=b"", value=b""
    )
    parked = {"stream": f"case-{HH}", "version": 3, "hash": "h", "key": HH, "reason": "gap", "topic": "t"}
    await tables.add("parked", partition=0, offset=2, headers=b"", value=b"", **parked)
    await tables.add("card", key=HH, partition=0, kind="household", state="{}", incomplete=True)
    told = (await client.get("/v1/freshness")).json()
    assert {one["service"]: one["lag"] for one in told["services"]} == {"registry": 4, "pairing": 0, "interventions": 0}
    [agency] = told["agencies"]
    assert (agency["agency"], agency["events"], agency["occurred_on"]) == ("x", 7, "2020-01-02")
    assert told["trouble"] == {"quarantined": 1, "parked": 1, "incomplete_households": 1}
    assert told["watermark"] is None, "the registry's mark is not reached yet"
    assert (told["provisional"], told["stale"]) == (True, True)


async def test_figures_are_stale_once_a_service_was_silent_for_too_long(tables, client):
    await tables.mark(seconds_ago=61)
    assert (await client.get("/v1/coverage")).json()["stale"] is True
    await tables.mark(seconds_ago=61, clock="simulated")
    assert (await client.get("/v1/coverage")).json()["stale"] is False, "a simulated clock stands still"
    await tables.connection.execute("UPDATE watermark SET updated_at = now() - interval '61 s'")
    assert (await client.get("/v1/coverage")).json()["stale"] is True


async def test_the_same_state_is_not_sent_twice(tables, client):
    first = await client.get("/v1/pairing")
    again = await client.get("/v1/pairing", headers={"If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    await tables.at(registry=11, pairing=5, interventions=7)
    later = await client.get("/v1/pairing", headers={"If-None-Match": first.headers["etag"]})
    assert later.status_code == 200
    assert later.headers["etag"] != first.headers["etag"]


async def test_tables_of_another_version_are_shown_and_said_to_be(tables, client):
    before = await client.get("/v1/pairing")
    await tables.connection.execute("COMMENT ON SCHEMA projections IS 'awaits ./siao rebuild, fold 0 → fold 1'")
    now = await client.get("/v1/pairing", headers={"If-None-Match": before.headers["etag"]})
    assert (before.json()["awaits_rebuild"], now.json()["awaits_rebuild"]) == (False, True)
    await tables.connection.execute("ALTER TABLE coverage_rollup RENAME TO of_another_name")
    refused = await client.get("/v1/coverage")
    assert (refused.status_code, refused.json()["code"]) == (503, "awaits_rebuild")
    await tables.connection.execute(
        "ALTER TABLE of_another_name RENAME TO coverage_rollup; COMMENT ON SCHEMA projections IS NULL"
    )


async def test_tables_made_anew_are_another_state(tables, client):
    """At the same position: perhaps they were made by other rules."""
    before = await client.get("/v1/pairing")
    await tables.connection.execute(
        "ALTER SCHEMA projections RENAME TO old; CREATE SCHEMA projections; GRANT USAGE ON SCHEMA projections TO PUBLIC"
    )
    for [table] in await tables.connection.fetch("SELECT tablename FROM pg_tables WHERE schemaname = 'old'"):
        await tables.connection.execute(f"ALTER TABLE old.{table} SET SCHEMA projections")
    for [view] in await tables.connection.fetch("SELECT viewname FROM pg_views WHERE schemaname = 'old'"):
        await tables.connection.execute(f"ALTER VIEW old.{view} SET SCHEMA projections")
    now = await client.get("/v1/pairing", headers={"If-None-Match": before.headers["etag"]})
    assert (now.status_code, now.json()["position"]) == (200, before.json()["position"])


async def test_with_the_clock_set_back_what_is_recorded_is_not_of_the_future(tables, client):
    """Events are recorded at a floor then, ahead of the machine's clock, and what is known today has them in it."""
    ahead = timedelta(hours=6)
    newest = datetime.now(UTC) + ahead
    await tables.connection.execute("UPDATE checkpoint SET newest = $1", newest)
    await tables.mark(seconds_ago=-int(ahead.total_seconds()) - 5)
    mark = await tables.connection.fetchval("SELECT max(mark) FROM watermark")
    for known_at in (newest, mark, newest.astimezone(BANGKOK).date()):
        told = (await client.get("/v1/coverage", params={"known_at": known_at.isoformat()})).json()
        assert datetime.fromisoformat(told["as_of"]["known_at"]) >= newest
        assert told["provisional"] is (known_at != newest)
    refused = await client.get("/v1/coverage", params={"known_at": (mark + timedelta(hours=1)).isoformat()})
    assert refused.json()["code"] == "known_at_in_future"


async def test_a_reader_waits_for_what_it_wrote(tables, client):
    stream = f"household-{HH}"

    async def arrives() -> None:
        await asyncio.sleep(0.3)
        await tables.add("stream_head", stream=stream, key=HH, partition=0, version=3, hash="", state="ok")

    begun = time.monotonic()
    arriving = asyncio.create_task(arrives())
    answer = await client.get("/v1/coverage", headers={"Siao-After": f"{stream}@3"})
    await arriving
    assert answer.status_code == 200
    assert 0.3 <= time.monotonic() - begun < 3


async def test_a_reader_does_not_wait_for_ever(tables, client, monkeypatch):
    monkeypatch.setattr(arrivals, "WAIT_SECONDS", 0.2)
    answer = await client.get("/v1/coverage", headers={"Siao-After": f"household-{HH}@1, case-{HH}@1"})
    assert (answer.status_code, answer.json()["code"]) == (503, "not_yet_visible")
    assert answer.headers["retry-after"] == "1"
    for odd in ("x", "@1", "a@b", "a@²"):
        answer = await client.get("/v1/coverage", headers={"Siao-After": odd.encode()})
        assert (answer.status_code, answer.json()["field"]) == (422, "Siao-After")


async def test_one_answer_is_one_moment(servers, stage, tables):
    """While rows, position and pairing change together, nobody is told a mixture."""
    settings = servers.settings("gateway").model_copy(update={"database": g.SecretStr(stage[2])})
    begun, stop = asyncio.Event(), asyncio.Event()

    async def fold() -> int:
        n = 0
        while not stop.is_set():
            n += 1
            async with tables.connection.transaction():
                await tables.at(registry=n, pairing=n, interventions=n)
                await tables.connection.execute("DELETE FROM coverage_rollup")
                await tables.counted(village=VILLAGE, dimension="health", measure="need", n=n)
                await tables.connection.execute("DELETE FROM households_rollup")
                row = {"partition": 0, "cohort": "bmn-2561", "household_class": "", "lead": "unpaired"}
                await tables.add("households_rollup", village=VILLAGE, n=n, **row)
            begun.set()
        return n

    folding = asyncio.create_task(fold())
    await begun.wait()
    async with await postgres.pool(settings) as pool:
        for _ in range(50):
            shown = await dashboard.gather(pool)
            seen = {
                shown.standing.position["registry"],
                shown.cells[1].in_need,
                sum(d.cells[1].in_need for d in shown.districts),
                shown.population.households,
                shown.province.unpaired,
            }
            assert len(seen) == 1
    stop.set()
    assert await folding > 10


async def test_the_gateways_role_can_read_and_nothing_else(stage, tables):
    connection = await g.asyncpg.connect(stage[2])
    try:
        assert await connection.fetchval("SELECT count(*) FROM checkpoint") == 1
        for forbidden in (
            "UPDATE checkpoint SET registry = 0",
            "DELETE FROM fact",
            "SELECT value FROM quarantine",
            "SELECT value FROM parked",
            "CREATE TABLE mine (x int)",
        ):
            with pytest.raises(g.asyncpg.InsufficientPrivilegeError):
                await connection.execute(forbidden)
    finally:
        await connection.close()


@pytest.mark.parametrize(("clock", "shown"), [("simulated", True), ("real", False)])
async def test_the_documents_numbers_stand_beside_a_demonstrations_figures_only(servers, clock, shown):
    async with (
        g.tables(servers) as (_, dsn),
        g.gateway(servers, dsn, clock=clock) as url,
        g.client(url) as client,
    ):
        await client.post("/session", data={"token": g.token(servers)})
        page = (await client.get("/")).text
        feed = [line async for line in _first_figures(client)]
    for text in (page, "".join(feed)):
        assert ("as published" in text) is shown
        assert ("72.4795" in text) is shown
        assert ("79.13" in text) is shown
        assert "enrolled officers" in text


async def _first_figures(client) -> AsyncIterator[str]:
    async with client.stream("GET", "/v1/live") as answer:
        async for line in answer.aiter_lines():
            if not line:
                return
            yield line
