"""Tables that another version of Siao made, as a start of this one finds them: left as they are, and marked. Everything
else is brought up to date as ever, so that commands are taken."""

from collections.abc import AsyncIterator

import asyncpg
import pytest
import pytest_asyncio

from deploy.local import postgres, provision
from deploy.local.migrations import Migration
from deploy.local.rebuild import make_tables
from services.projections import made_by
from services.projections.made_by import MADE_BY
from services.projections.rebuild import run, schemas
from services.projections.rebuild.refusal import Refused
from tests.support.rebuilding import setting
from tests.support.servers import Servers

NEXT = {"fold 99", *(line for line in MADE_BY if not line.startswith("fold"))}


async def start(servers: Servers) -> list[str]:
    return await provision.provision_postgres(servers.cluster.dsn(), servers.home.secrets, ours=True)


async def awaited(servers: Servers) -> str:
    return await postgres.awaits_rebuild(servers.cluster.dsn())


@pytest_asyncio.fixture
async def admin(servers: Servers) -> AsyncIterator[asyncpg.Connection]:
    """Something was folded, or seems so."""
    connection = await asyncpg.connect(servers.admin_dsn)
    await connection.execute("INSERT INTO projections.checkpoint (partition, registry) VALUES (0, 1)")
    yield connection
    await connection.execute("TRUNCATE projections.checkpoint")
    await start(servers)
    await connection.close()


def with_a_new_file_each(monkeypatch: pytest.MonkeyPatch) -> None:
    files = postgres.files
    monkeypatch.setattr(
        postgres, "files", lambda schema: [*files(schema), Migration(f"{schema}/9999.sql", "CREATE TABLE late ()")]
    )


async def test_a_new_fold_leaves_old_tables_as_they_are_and_brings_all_else_up_to_date(
    servers: Servers, admin: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch
):
    with monkeypatch.context() as newer:
        newer.setattr(made_by, "MADE_BY", NEXT)
        with_a_new_file_each(newer)
        assert await start(servers) == ["registry/9999.sql", "pairing/9999.sql", "interventions/9999.sql"]
        assert await awaited(servers) == f"fold {made_by.FOLD} → fold 99"
    for schema in "registry", "pairing", "interventions":
        await admin.execute(f"DROP TABLE {schema}.late; DELETE FROM {schema}.migration WHERE file LIKE '%/9999.sql'")
    await start(servers)  # the version that made them is put back
    assert await awaited(servers) == ""
    assert await made_by.other(admin, "projections") == ""


async def test_tables_that_a_migration_brings_up_to_date_need_no_rebuild_and_stop_who_made_them(
    servers: Servers, admin: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch
):
    """Cards hold more than they did: what older code would drop."""
    cards, older = "projections/0011_cards.sql", {line for line in MADE_BY if not line.startswith("card")}
    await admin.execute("DELETE FROM projections.made_by WHERE what LIKE 'card%'")
    await admin.execute("DELETE FROM projections.migration WHERE file = $1", cards)
    with monkeypatch.context() as before:
        before.setattr(made_by, "MADE_BY", older)
        assert await made_by.other(admin, "projections") == ""
    with monkeypatch.context() as newer:
        newer.setattr(made_by, "MADE_BY", NEXT)
        assert await start(servers) == [], "made by another fold, they stay as they are"
        assert await awaited(servers) == f"fold {made_by.FOLD} → fold 99"
        noted = await admin.fetch("SELECT what FROM projections.made_by")
        assert {line for (line,) in noted} == older
    assert await start(servers) == [cards]
    assert await awaited(servers) == await made_by.other(admin, "projections") == ""
    with monkeypatch.context() as before:
        before.setattr(made_by, "MADE_BY", older)
        assert "card's Household of " in await made_by.other(admin, "projections")


async def test_tables_of_which_nobody_noted_the_version_are_not_trusted(servers: Servers, admin: asyncpg.Connection):
    await admin.execute("ALTER TABLE projections.made_by RENAME TO unknown")
    await start(servers)
    assert (await awaited(servers)).startswith("– → ")
    await admin.execute("ALTER TABLE projections.unknown RENAME TO made_by")


async def test_newer_tables_do_not_stop_an_older_version(
    servers: Servers, admin: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch
):
    """A migration that it does not know, although it would make the same rows."""
    await admin.execute("INSERT INTO projections.migration VALUES ('projections/9999.sql', '')")
    await start(servers)
    assert await awaited(servers) == "projections/9999.sql → –"
    await admin.execute("DELETE FROM projections.migration WHERE file = 'projections/9999.sql'")


async def test_empty_tables_become_those_of_whoever_starts(
    servers: Servers, admin: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch
):
    await admin.execute("UPDATE projections.checkpoint SET registry = 0")
    with monkeypatch.context() as newer:
        newer.setattr(made_by, "MADE_BY", NEXT)
        await start(servers)
        assert (await awaited(servers), await made_by.other(admin, "projections")) == ("", "")
    await admin.execute("UPDATE projections.checkpoint SET registry = 1")
    await start(servers)
    assert await awaited(servers) == f"fold 99 → fold {made_by.FOLD}"


@pytest_asyncio.fixture
async def before(servers: Servers, admin: asyncpg.Connection) -> AsyncIterator[str]:
    """A schema that was live before."""
    name = schemas.OLD + "1"
    await make_tables(admin, name)
    yield name
    await schemas.drop(admin, name)


async def test_there_is_no_way_back_to_tables_of_another_fold(servers: Servers, admin: asyncpg.Connection, before: str):
    await admin.execute(f"UPDATE {before}.made_by SET what = 'fold 0' WHERE what LIKE 'fold%'")
    with pytest.raises(Refused, match=r"another version of Siao \(fold 0 → fold \d+\)") as refused:
        await run.back(setting(servers))
    assert "โปรแกรมรุ่นอื่น" in refused.value.th


async def test_there_is_no_way_back_to_tables_that_lack_a_migration(
    servers: Servers, admin: asyncpg.Connection, before: str
):
    """Their rows would be the same, and yet the next start of this version could not use them as they are."""
    newest = max(setting(servers).files)
    await admin.execute(f"DELETE FROM {before}.migration WHERE file = $1", newest)
    with pytest.raises(Refused, match=rf"another version of Siao \({newest}\)"):
        await run.back(setting(servers))
