"""The watermark on a simulated clock that jumps, under transactions that overlap: what it says stays true for ever."""

import asyncio
import json
import random
import secrets
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import cast
from urllib.parse import urlsplit

import asyncpg
import pytest
import pytest_asyncio
from pydantic import SecretStr

from deploy.local import migrations, postgres
from shared.errors import Misconfigured
from shared.eventstore import clock
from shared.eventstore.log_reader import LogReader
from shared.eventstore.publisher import Publisher
from shared.eventstore.watermark import Watermark
from shared.runtime import ids
from shared.runtime.settings import Clock, Settings
from shared.runtime.statement import Statement
from tests.support import moved_clock
from tests.support.appending import append
from tests.support.servers import Servers

APPENDERS, ROUNDS = 6, 60


class Notebook:
    """Stands for the log: what left the outbox is in it, and each message is written beside what it held then."""

    def __init__(self, relaying: asyncpg.Connection) -> None:
        self._relaying = relaying
        self.held: set[int] = set()
        self.told: list[tuple[datetime, set[int]]] = []

    async def take(self, rows: int) -> None:
        taken = await self._relaying.fetch(
            "DELETE FROM outbox WHERE seq IN (SELECT seq FROM outbox ORDER BY seq LIMIT $1) RETURNING seq", rows
        )
        self.held |= {row["seq"] for row in taken}

    async def ends(self) -> list[int]:
        return [len(self.held)]

    async def tell_progress(self, value: bytes) -> None:
        self.told.append((datetime.fromisoformat(json.loads(value)["mark"]), set(self.held)))


@pytest_asyncio.fixture
async def settings(servers: Servers) -> AsyncIterator[Settings]:
    """Of a registry in a database of its own, so that it may simulate its clock."""
    name = f"watermark_{secrets.token_hex(4)}"
    admin = await asyncpg.connect(servers.admin_dsn)
    await admin.execute(f"CREATE DATABASE {name} OWNER {postgres.OWNER}")
    inside = await asyncpg.connect(urlsplit(servers.admin_dsn)._replace(path=f"/{name}").geturl())
    try:
        await inside.execute(f"CREATE SCHEMA registry AUTHORIZATION {postgres.OWNER}")
        await inside.execute("GRANT USAGE ON SCHEMA registry TO siao_registry")
        await migrations.apply(inside, "registry", postgres.OWNER, postgres.files("registry"))
        dsn = urlsplit(servers.dsn("registry"))._replace(path=f"/{name}").geturl()
        yield servers.settings("registry", clock="simulated").model_copy(update={"database": SecretStr(dsn)})
    finally:
        await inside.close()
        await admin.execute(f"DROP DATABASE {name} WITH (FORCE)")
        await admin.close()


async def test_what_was_recorded_before_a_mark_was_in_the_log(settings: Settings) -> None:
    draw, dsn = random.Random(7), settings.database.get_secret_value()
    async with asyncpg.create_pool(dsn, min_size=APPENDERS, max_size=APPENDERS) as pool:
        relaying = await asyncpg.connect(dsn)
        notebook = Notebook(relaying)
        watermark = Watermark(settings, relaying, cast(LogReader, notebook), cast(Publisher, notebook))
        await watermark.prepare()
        at_work = True

        async def appender() -> None:
            for _ in range(ROUNDS):
                async with pool.acquire() as connection, connection.transaction():
                    if draw.random() < 0.2:
                        look_up = Statement(connection)
                        clock.look_up(look_up, "simulated")
                        now = clock.now(await look_up.read())
                        await clock.advance(connection, now + timedelta(days=draw.randint(1, 40)))
                    await asyncio.sleep(draw.choice((0, 0.001, 0.01)))
                    await append(connection, [ids.new_id("hh")], "simulated")
                    await asyncio.sleep(draw.choice((0, 0.001, 0.03)))
                await asyncio.sleep(draw.choice((0, 0.01)))

        async def relay() -> None:
            while at_work or await relaying.fetchval("SELECT count(*) FROM outbox"):
                await notebook.take(draw.randint(0, 20))
                await watermark.advance()
                await asyncio.sleep(0.002)

        working = asyncio.create_task(relay())
        await asyncio.gather(*(appender() for _ in range(APPENDERS)))
        at_work = False
        await working
        stored = await relaying.fetch("SELECT seq, recorded_at FROM event")
        await relaying.close()
    assert len(stored) == APPENDERS * ROUNDS
    marks = [mark for mark, _ in notebook.told]
    assert marks == sorted(marks), "a mark never goes back"
    assert len(set(marks)) > 20, "it moves while transactions always overlap"
    for mark, held in notebook.told:
        assert {row["seq"] for row in stored if row["recorded_at"] < mark} <= held


@pytest.mark.parametrize("kind", ["real", "simulated"])
async def test_a_machines_clock_that_goes_back_changes_nothing_that_is_final(
    servers: Servers, settings: Settings, kind: Clock
) -> None:
    settings = settings.model_copy(update={"clock": kind})
    admin = urlsplit(servers.admin_dsn)._replace(path=urlsplit(settings.database.get_secret_value()).path).geturl()
    await moved_clock.prepare(admin, "registry")
    connection, relaying = [await asyncpg.connect(settings.database.get_secret_value()) for _ in range(2)]
    notebook = Notebook(relaying)
    watermark = Watermark(settings, relaying, cast(LogReader, notebook), cast(Publisher, notebook))
    household = ids.new_id("hh")

    async def recorded() -> datetime:
        async with connection.transaction():
            return [record.recorded_at for record in await append(connection, [household, ids.new_id("hh")], kind)][-1]

    async def mark() -> datetime:
        await notebook.take(100)
        await watermark.advance()
        return notebook.told[-1][0]

    await watermark.prepare()
    before, told = await recorded(), await mark()
    await moved_clock.move(admin, "registry", timedelta(days=-1))
    assert await recorded() >= told > before, "also in a stream that is new"
    assert await mark() == told
    await moved_clock.move(admin, "registry", timedelta(days=1))
    later = await mark()
    assert later - told > timedelta(hours=23)
    await moved_clock.move(admin, "registry", timedelta(0))
    assert await recorded() >= later
    await connection.close()
    await relaying.close()


async def test_it_does_not_start_where_transactions_cannot_be_seen(settings: Settings, servers: Servers) -> None:
    admin = await asyncpg.connect(servers.admin_dsn)
    await admin.execute("ALTER ROLE siao_registry SET track_activities = off")
    try:
        relaying = await asyncpg.connect(settings.database.get_secret_value())
        nobody = cast(LogReader, None)
        with pytest.raises(Misconfigured):
            await Watermark(settings, relaying, nobody, cast(Publisher, None)).prepare()
        await relaying.close()
    finally:
        await admin.execute("ALTER ROLE siao_registry RESET track_activities")
        await admin.close()
