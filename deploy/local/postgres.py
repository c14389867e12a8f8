"""PostgreSQL as Siao needs it: one database, a schema and a login role a service, nothing owned by who logs in.

Repeated at every start, passwords included, so that what was changed by hand does not stay.
"""

import hashlib
import hmac
from base64 import b64encode
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from secrets import token_bytes
from urllib.parse import urlsplit

import asyncpg

from deploy.local import migrations
from deploy.local.trouble import Trouble, full_disk
from services.projections import made_by
from services.projections.made_by import OtherVersion
from services.projections.rebuild import schemas
from shared.events.topics import EVENT_TOPICS, FOLLOWERS

DATABASE, OWNER = "siao", "siao_owner"
PROJECTIONS = schemas.LIVE
SCHEMAS = (*EVENT_TOPICS, PROJECTIONS)
MAY_USE: dict[str, str] = {**{schema: schema for schema in SCHEMAS}, "gateway": PROJECTIONS}
"""Service -> the one schema that its role may use and finds its tables in."""
ROOT = Path(__file__).parents[2]
OLDEST = 18
"""The version that everything is tested with."""
LOCK = 0x51A0
"""Advisory lock: two provisioners of one server take turns."""


def role(service: str) -> str:
    return f"siao_{service}"


def dsn_of(service: str, password: str, admin: str) -> str:
    """The DSN with which a service logs in to the server that the administrator's DSN names."""
    parts = urlsplit(admin)
    place = parts.netloc.rpartition("@")[2]
    return parts._replace(netloc=f"{role(service)}:{password}@{place}", path=f"/{DATABASE}").geturl()


async def provision(admin: str, passwords: Mapping[str, str], keys: str, *, ours: bool) -> list[str]:
    """Makes or mends roles, database, schemas, grants and tables; answers the migrations applied now.

    `admin` is the DSN of a superuser, or of a role with CREATEROLE and CREATEDB. `passwords` maps service to password.
    `keys` names the keys that seal what is stored (credentials.fingerprint). `ours`: the whole server is Siao's, so its
    other databases are closed too. Raises Trouble when it is unreachable, too old, or holds data sealed by other keys.
    """
    async with _connected(admin) as connection:
        _check_version(connection.get_server_version().major)
        await connection.execute("SELECT pg_advisory_lock($1)", LOCK)
        await _check_keys(connection, keys)
        await _roles(connection, passwords)
        if not await connection.fetchval("SELECT true FROM pg_database WHERE datname = $1", DATABASE):
            await connection.execute(f"CREATE DATABASE {DATABASE} OWNER {OWNER} ENCODING 'UTF8' TEMPLATE template0")
        await connection.execute(f"COMMENT ON DATABASE {DATABASE} IS '{keys}'")
        await _close(connection, (DATABASE, "postgres", "template1") if ours else (DATABASE,))
        async with _connected(urlsplit(admin)._replace(path=f"/{DATABASE}").geturl()) as inside:
            try:
                return await _schemas(inside)
            except asyncpg.DiskFullError as error:
                raise full_disk() from error


def _check_version(major: int) -> None:
    if major < OLDEST:
        raise Trouble(
            f"The PostgreSQL of SIAO_POSTGRES is version {major}, and Siao needs {OLDEST} or newer: upgrade it, or "
            "leave SIAO_POSTGRES unset and use the one that comes with Siao.",
            f"PostgreSQL ใน SIAO_POSTGRES เป็นรุ่น {major} แต่ต้องใช้รุ่น {OLDEST} ขึ้นไป โปรดอัปเกรด หรือไม่ต้องกำหนด SIAO_POSTGRES",
        )


async def _check_keys(connection: asyncpg.Connection, keys: str) -> None:
    """Before anything is changed: the database's comment names the keys that seal its data."""
    known = await connection.fetchval(
        "SELECT shobj_description(oid, 'pg_database') FROM pg_database WHERE datname = $1", DATABASE
    )
    if known not in (None, keys):
        raise Trouble(
            f"The data in database {DATABASE} was sealed with the keys of another SIAO_HOME: use that one, or copy its "
            "secrets/ folder here.",
            f"ข้อมูลในฐานข้อมูล {DATABASE} ปิดผนึกด้วยกุญแจของ SIAO_HOME อื่น โปรดใช้โฟลเดอร์นั้น หรือคัดลอก secrets/ มาไว้ที่นี่",
        )


async def _schemas(connection: asyncpg.Connection) -> list[str]:
    await connection.execute("REVOKE ALL ON SCHEMA public FROM PUBLIC")
    for schema in SCHEMAS:
        await connection.execute(f"CREATE SCHEMA IF NOT EXISTS {schema} AUTHORIZATION {OWNER}")
        await connection.execute(f"ALTER SCHEMA {schema} OWNER TO {OWNER}")
    for service, schema in MAY_USE.items():
        await connection.execute(f"GRANT USAGE ON SCHEMA {schema} TO {role(service)}")
    applied = [name for schema in EVENT_TOPICS for name in await _migrated(connection, schema)]
    other = ""
    try:
        applied += await _projections(connection)
    except OtherVersion as tables:
        other = str(tables)
    await _note(connection, other)
    return applied


async def _migrated(connection: asyncpg.Connection, schema: str) -> list[str]:
    return await migrations.apply(connection, schema, OWNER, files(schema))


async def _projections(connection: asyncpg.Connection) -> list[str]:
    """Migrates the projections' tables, unless something is in them that is made by other code, behind the migrations
    too: one may say that it goes on with what is there.

    Raises OtherVersion; then they are as they were: new tables beside them would leave out all that is recorded
    already, and the version that made them can go on with them.
    """
    if not await _filled(connection):
        return await _migrated(connection, PROJECTIONS)
    if unknown := await migrations.unlike(connection, PROJECTIONS, files(PROJECTIONS)):
        raise OtherVersion(await made_by.other(connection, PROJECTIONS) or f"{', '.join(unknown)} → –")
    async with connection.transaction():
        applied = await _migrated(connection, PROJECTIONS)
        if other := await made_by.other(connection, PROJECTIONS):
            raise OtherVersion(other)
    return applied


async def _filled(connection: asyncpg.Connection) -> bool:
    if not await connection.fetchval("SELECT to_regclass($1)", f"{PROJECTIONS}.checkpoint"):
        return False
    found: bool = await connection.fetchval(
        f"SELECT EXISTS (SELECT FROM {PROJECTIONS}.checkpoint WHERE registry + pairing + interventions > 0)"  # noqa: S608
    )
    return found


async def _note(connection: asyncpg.Connection, other: str) -> None:
    """Beside the tables, by what they are made; and for who reads them, whether they wait to be made anew."""
    async with connection.transaction():
        await migrations.become(connection, PROJECTIONS, OWNER)
        if not other and await made_by.other(connection, PROJECTIONS):
            await made_by.note(connection, PROJECTIONS)
        await schemas.comment(connection, PROJECTIONS, other and made_by.AWAITS_REBUILD + other)


async def awaits_rebuild(admin: str) -> str:
    """By what else the tables are made that are shown; "" where it is this version. Raises Trouble."""
    async with _connected(urlsplit(admin)._replace(path=f"/{DATABASE}").geturl()) as connection:
        return await made_by.awaited(connection, PROJECTIONS)


def files(schema: str) -> list[migrations.Migration]:
    """The migrations of a schema: the event store's and the follower's first, where it has them, then its own."""
    store = [ROOT / "shared" / "eventstore" / "migrations"] if schema in EVENT_TOPICS else []
    follower = [ROOT / "shared" / "runtime" / "migrations"] if schema in FOLLOWERS else []
    return migrations.read([*store, *follower, ROOT / "services" / schema / "migrations"])


async def _roles(connection: asyncpg.Connection, passwords: Mapping[str, str]) -> None:
    there = {row["rolname"] for row in await connection.fetch("SELECT rolname FROM pg_roles")}
    if OWNER not in there:
        await connection.execute(f"CREATE ROLE {OWNER} NOLOGIN")
    if not await connection.fetchval("SELECT pg_has_role(current_user, $1, 'SET')", OWNER):
        await connection.execute(f"GRANT {OWNER} TO CURRENT_USER")
    for service, schema in MAY_USE.items():
        if role(service) not in there:
            await connection.execute(f"CREATE ROLE {role(service)} LOGIN NOINHERIT")
        secret = scram(passwords[service])
        await connection.execute(f"ALTER ROLE {role(service)} LOGIN NOINHERIT PASSWORD '{secret}'")
        await connection.execute(f"ALTER ROLE {role(service)} SET search_path = {schema}")


async def _close(connection: asyncpg.Connection, databases: tuple[str, ...]) -> None:
    """Takes from everybody the right to log in there, then gives it to our roles for our database."""
    for database in databases:
        await connection.execute(f"REVOKE ALL ON DATABASE {database} FROM PUBLIC")
    await connection.execute(f"GRANT CONNECT ON DATABASE {DATABASE} TO {', '.join(map(role, MAY_USE))}")


def scram(password: str) -> str:
    """What PostgreSQL stores of a password (RFC 5802, RFC 7677), so that the password itself is in no server's log."""
    salt, rounds = token_bytes(16), 4096
    salted = hashlib.pbkdf2_hmac("sha256", password.encode(), salt, rounds)
    stored = hashlib.sha256(hmac.digest(salted, b"Client Key", "sha256")).digest()
    server = hmac.digest(salted, b"Server Key", "sha256")
    return f"SCRAM-SHA-256${rounds}:{_base64(salt)}${_base64(stored)}:{_base64(server)}"


def _base64(value: bytes) -> str:
    return b64encode(value).decode()


@asynccontextmanager
async def _connected(dsn: str) -> AsyncIterator[asyncpg.Connection]:
    place = urlsplit(dsn).netloc.rpartition("@")[2]
    try:
        connection = await asyncpg.connect(dsn, timeout=10)
    except (OSError, TimeoutError, ValueError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        raise Trouble(
            f"PostgreSQL at {place} does not let us in ({type(error).__name__}): check that it runs, "
            "and the user and password in SIAO_POSTGRES.",
            f"เชื่อมต่อ PostgreSQL ที่ {place} ไม่ได้ โปรดตรวจว่าเปิดอยู่ และตรวจชื่อผู้ใช้กับรหัสผ่านใน SIAO_POSTGRES",
        ) from error
    try:
        yield connection
    finally:
        await connection.close(timeout=5)
