"""How often the gateway asks the database for one answer, and what the database looks through for it."""

from functools import partial

import asyncpg
import pytest
import pytest_asyncio

from services.gateway.queries import household
from tests.support import gateway as g

HH = "hh_" + "1" * 20
STREAM = f"household-{HH}"


@pytest_asyncio.fixture
async def counted(servers, monkeypatch: pytest.MonkeyPatch):
    """(the tables with one household, a client of a gateway over them, every statement that this one sends)"""
    sent: list[str] = []

    async def listen(connection: asyncpg.Connection) -> None:
        connection.add_query_logger(lambda statement: sent.append(statement.query))

    monkeypatch.setattr(asyncpg, "create_pool", partial(asyncpg.create_pool, init=listen))
    async with (
        g.tables(servers) as (tables, dsn),
        g.gateway(servers, dsn) as url,
        g.client(url, g.token(servers)) as client,
    ):
        await tables.at(registry=1)
        await tables.mark()
        await tables.add("stream_head", stream=STREAM, key=HH, partition=0, version=2, hash="", state="ok")
        await client.get(f"/v1/households/{HH}")  # a connection asks once of which types the answers are
        yield tables, client, sent


async def test_a_card_takes_one_statement_and_one_more_for_whoever_waits_for_what_is_there(counted):
    _, client, sent = counted
    for headers, statements in (({}, 1), ({"Siao-After": f"{STREAM}@2"}, 2)):
        sent.clear()
        assert (await client.get(f"/v1/households/{HH}", headers=headers)).status_code == 200
        assert len(sent) == statements
    sent.clear()
    told = await client.get(f"/v1/households/{HH}", params={"known_at": "2020-01-01"})
    assert (told.json()["code"], len(sent)) == ("not_found", 1), "of a past day too"


async def test_a_card_is_found_without_looking_through_any_table(counted):
    tables, _, _ = counted
    here = tables.connection
    await here.execute(
        """INSERT INTO stream_head SELECT 'case-' || n, 'hh_' || n, 0, 1, '', 'ok' FROM generate_series(1, 20000) AS n;
           INSERT INTO card SELECT key, 0, 'household', '{"links": []}' FROM stream_head;
           INSERT INTO fact SELECT key, now(), stream, 1, gen_random_uuid(), '', now(), '', '', '', 0, 0, '', ''
               FROM stream_head;
           INSERT INTO households_ledger SELECT key, now(), stream, 1, gen_random_uuid(), 0, now(), '', '', '', '', 1
               FROM stream_head;
           INSERT INTO caseload_ledger (key, recorded_at, stream, version, event_id, partition, valid_on, helper, role,
               district, delta)
               SELECT key, now(), stream, 1, gen_random_uuid(), 0, now(), '', '', '', 1 FROM stream_head;
           INSERT INTO coverage_ledger SELECT key, now(), stream, 1, gen_random_uuid(), 0, now(), '', '', '', '{1}'
               FROM stream_head;
           ANALYZE"""
    )
    for known_at in (None, await here.fetchval("SELECT now()")):
        plan = "\n".join(
            row[0] for row in await here.fetch(f"EXPLAIN {household.text(known_at)}", HH, known_at, None, "coverage-1")
        )
        for table in ("stream_head", "fact", "card", "households_ledger", "caseload_ledger", "coverage_ledger"):
            assert f"on {table}" in plan
            assert f"Seq Scan on {table}" not in plan
