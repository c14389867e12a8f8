"""What every start brings PostgreSQL to, seen from the server: who may do what, and that repeating it mends."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import asyncpg
import pytest
import pytest_asyncio

from deploy.local import credentials, migrations, postgres, provision
from deploy.local.kafka import Login
from deploy.local.migrations import Migration
from deploy.local.trouble import Trouble
from shared.events.topics import EVENT_TOPICS
from tests.support.servers import Servers


def login(servers: Servers) -> Login:
    return Login(servers.broker.address, "admin", servers.words["kafka"]["admin"])


async def again(servers: Servers) -> None:
    await provision.provision(login(servers), servers.cluster.dsn(), servers.home.secrets)


@pytest_asyncio.fixture
async def admin(servers: Servers) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(servers.admin_dsn)
    yield connection
    await connection.close()


async def test_repeating_it_applies_nothing_again(servers: Servers):
    assert await provision.provision_postgres(servers.cluster.dsn(), servers.home.secrets, ours=True) == []


async def test_who_logs_in_owns_nothing_and_can_make_nothing(admin: asyncpg.Connection):
    roles = [postgres.role(service) for service in postgres.MAY_USE]
    assert await admin.fetch("SELECT relname FROM pg_class WHERE relowner::regrole::text = ANY($1)", roles) == []
    for role in roles:
        makes = await admin.fetchrow(
            """SELECT has_database_privilege($1, current_database(), 'CREATE, TEMPORARY') AS in_database,
                      (SELECT bool_or(has_schema_privilege($1, oid, 'CREATE')) FROM pg_namespace) AS in_schema,
                      (SELECT rolsuper OR rolcreaterole OR rolcreatedb OR rolbypassrls OR rolreplication
                       FROM pg_roles WHERE rolname = $1) AS privileged,
                      EXISTS (SELECT FROM pg_auth_members WHERE member = $1::regrole) AS member"""
            "",
            role,
        )
        assert not any(makes.values()), role


async def test_a_role_uses_its_own_schema_only(admin: asyncpg.Connection):
    for service, own in postgres.MAY_USE.items():
        usable = await admin.fetch(
            "SELECT nspname FROM pg_namespace WHERE nspname !~ '^(pg_|information_schema)' "
            "AND has_schema_privilege($1, oid, 'USAGE') ORDER BY 1",
            postgres.role(service),
        )
        assert [row["nspname"] for row in usable] == [own]


@pytest.mark.parametrize("schema", EVENT_TOPICS)
async def test_no_role_can_change_or_remove_what_is_recorded(admin: asyncpg.Connection, schema: str):
    """Nor forget an answer, nor set a stream back to its beginning."""
    denied = {"event": "UPDATE, DELETE, TRUNCATE", "receipt": "UPDATE, DELETE, TRUNCATE", "head": "DELETE, TRUNCATE"}
    for table, rights in denied.items():
        held = await admin.fetch(
            "SELECT rolname FROM pg_roles WHERE rolname LIKE 'siao\\_%' AND rolcanlogin "
            "AND has_table_privilege(rolname, $1, $2)",
            f"{schema}.{table}",
            rights,
        )
        assert not held, (table, held)


async def test_the_gateway_only_reads(admin: asyncpg.Connection):
    writable = await admin.fetch(
        "SELECT relname FROM pg_class WHERE relkind IN ('r', 'p', 'v') AND relnamespace::regnamespace::text = ANY($1) "
        "AND has_table_privilege('siao_gateway', oid, 'INSERT, UPDATE, DELETE, TRUNCATE, REFERENCES, TRIGGER')",
        list(postgres.SCHEMAS),
    )
    assert writable == []


@pytest.mark.parametrize("database", ["postgres", "template1"])
async def test_the_other_databases_are_closed(servers: Servers, database: str):
    dsn = servers.dsn("registry").rsplit("/", 1)[0]
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await asyncpg.connect(f"{dsn}/{database}")


async def test_nobody_gets_in_without_the_password(servers: Servers):
    wrong = postgres.dsn_of("registry", "wrong", servers.cluster.dsn())
    with pytest.raises(asyncpg.InvalidPasswordError):
        await asyncpg.connect(wrong)
    with pytest.raises(asyncpg.InvalidAuthorizationSpecificationError):  # the owner has no login
        await asyncpg.connect(wrong.replace("siao_registry", "siao_owner"))


async def test_a_password_and_a_right_changed_by_hand_do_not_stay(servers: Servers, admin: asyncpg.Connection):
    await admin.execute("ALTER ROLE siao_gateway PASSWORD 'secret'; GRANT CONNECT ON DATABASE postgres TO PUBLIC")
    await again(servers)
    await (await asyncpg.connect(servers.dsn("gateway"))).close()
    await test_the_other_databases_are_closed(servers, "postgres")


async def test_a_server_that_is_not_there_is_said():
    with pytest.raises(Trouble, match=r"PostgreSQL at 127\.0\.0\.1:1 does not let us in"):
        await postgres.provision("postgresql://admin:x@127.0.0.1:1/postgres", {}, "", ours=False)


async def test_data_sealed_with_other_keys_is_left_alone(servers: Servers, tmp_path: Path):
    credentials.make(tmp_path / "secrets", holds_data=False)
    with pytest.raises(Trouble, match="keys of another SIAO_HOME"):
        await provision.provision_postgres(servers.cluster.dsn(), tmp_path / "secrets", ours=True)
    await (await asyncpg.connect(servers.dsn("gateway"))).close()  # no password was changed


async def test_an_administrator_who_is_no_superuser_is_enough(
    servers: Servers, admin: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(postgres, "DATABASE", "elsewhere")
    monkeypatch.setattr(postgres, "OWNER", "elsewhere_owner")
    monkeypatch.setattr(postgres, "role", lambda service: f"elsewhere_{service}")
    await admin.execute(
        "CREATE ROLE dba LOGIN CREATEROLE CREATEDB PASSWORD 'dba'; GRANT CONNECT ON DATABASE postgres TO dba"
    )
    dsn = servers.cluster.dsn().replace(f"admin:{servers.words['postgres']['admin']}", "dba:dba")
    applied = await postgres.provision(dsn, servers.words["postgres"], "keys", ours=False)
    assert "registry/0001_citizen_hash.sql" in applied
    assert await postgres.provision(dsn, servers.words["postgres"], "keys", ours=False) == []


# -- migrations --------------------------------------------------------------------------------------------------------


@pytest_asyncio.fixture
async def schema(admin: asyncpg.Connection) -> AsyncIterator[str]:
    await admin.execute(f"CREATE SCHEMA scratch AUTHORIZATION {postgres.OWNER}")
    yield "scratch"
    await admin.execute("DROP SCHEMA scratch CASCADE")


async def apply(admin: asyncpg.Connection, schema: str, *files: Migration) -> list[str]:
    return await migrations.apply(admin, schema, postgres.OWNER, files)


FIRST, SECOND = (
    Migration("a/0001.sql", "CREATE TABLE one (); SELECT ';'"),
    Migration("a/0002.sql", "CREATE TABLE two ()"),
)


async def test_each_file_once_and_in_order(admin: asyncpg.Connection, schema: str):
    assert await apply(admin, schema, FIRST) == ["a/0001.sql"]
    assert await apply(admin, schema, FIRST, SECOND) == ["a/0002.sql"]
    owners = await admin.fetch("SELECT tableowner FROM pg_tables WHERE schemaname = $1", schema)
    assert {row["tableowner"] for row in owners} == {postgres.OWNER}


async def test_a_file_that_fails_leaves_nothing_of_itself(admin: asyncpg.Connection, schema: str):
    broken = Migration("a/0002.sql", "CREATE TABLE half (); SELECT 1 / 0")
    with pytest.raises(asyncpg.DivisionByZeroError):
        await apply(admin, schema, FIRST, broken)
    assert await apply(admin, schema, FIRST, replace(broken, sql="CREATE TABLE half ()")) == ["a/0002.sql"]


async def test_a_file_changed_after_it_was_applied_is_refused(admin: asyncpg.Connection, schema: str):
    await apply(admin, schema, FIRST)
    with pytest.raises(Trouble, match=r"a/0001\.sql was changed"):
        await apply(admin, schema, replace(FIRST, sql="CREATE TABLE other ()"), SECOND)


async def test_an_older_program_refuses_a_newer_database(admin: asyncpg.Connection, schema: str):
    await apply(admin, schema, FIRST, SECOND)
    with pytest.raises(Trouble, match="newer Siao"):
        await apply(admin, schema, FIRST)
