"""Applies the numbered .sql files of a schema, each once, in one transaction with the note that it was applied.

Why our own sixty lines (looked at on 2026-11-22): pogo-migrate 0.4.7 finds a migration's place by a process-wide table
of file names, so two folders may not both begin with 0001; it orders a folder by directory listing unless each file
names its predecessor; it splits SQL by a parser instead of leaving that to the server; it keeps its notes in `public`
under a hash of the file's name, so a changed file goes unseen. yoyo-migrations 9.0 also hashes the name and needs a
second PostgreSQL driver. Here the server runs each file whole, and a file that changed after it was applied is refused.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import asyncpg

from deploy.local.trouble import Trouble

TABLE = """CREATE TABLE IF NOT EXISTS migration (
    file       text        PRIMARY KEY,
    sha256     text        NOT NULL,
    applied_at timestamptz NOT NULL DEFAULT clock_timestamp()
)"""


@dataclass(frozen=True)
class Migration:
    """One file; `name` is "<folder's owner>/<file>", the same on every machine."""

    name: str
    sql: str

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.sql.encode()).hexdigest()


def read(folders: Sequence[Path]) -> list[Migration]:
    """The migrations of several `<owner>/migrations` folders: folder after folder, each by file name."""
    files = (path for folder in folders for path in sorted(folder.glob("*.sql")))
    return [Migration(f"{path.parent.parent.name}/{path.name}", path.read_text(encoding="utf-8")) for path in files]


async def apply(connection: asyncpg.Connection, schema: str, owner: str, migrations: Sequence[Migration]) -> list[str]:
    """Brings a schema up to date, as role `owner`; answers the names applied now. The caller holds the lock.

    A file runs inside a transaction, so it must not hold statements that cannot (CREATE INDEX CONCURRENTLY).
    Raises Trouble when an applied file was changed or is gone, asyncpg.PostgresError when a file is wrong.
    """
    async with connection.transaction():
        await become(connection, schema, owner)
        await connection.execute(TABLE)
        applied = dict(await connection.fetch("SELECT file, sha256 FROM migration"))
    _check(schema, applied, migrations)
    fresh = [migration for migration in migrations if migration.name not in applied]
    for migration in fresh:
        async with connection.transaction():
            await become(connection, schema, owner)
            await connection.execute(migration.sql)
            await connection.execute(
                "INSERT INTO migration (file, sha256) VALUES ($1, $2)", migration.name, migration.sha256
            )
    return [migration.name for migration in fresh]


async def unlike(connection: asyncpg.Connection, schema: str, migrations: Sequence[Migration]) -> list[str]:
    """Names of those that were applied to a schema and are not among these, or not the same."""
    known = {migration.name: migration.sha256 for migration in migrations}
    rows = await connection.fetch(f"SELECT file, sha256 FROM {schema}.migration ORDER BY file")  # noqa: S608
    return [name for name, sha256 in rows if known.get(name) != sha256]


async def become(connection: asyncpg.Connection, schema: str, owner: str) -> None:
    """Until the transaction ends: the owner, in that schema."""
    await connection.execute(f'SET LOCAL ROLE "{owner}"; SET LOCAL search_path = "{schema}"')


def _check(schema: str, applied: dict[str, str], migrations: Sequence[Migration]) -> None:
    known = {migration.name: migration.sha256 for migration in migrations}
    for name, sha256 in applied.items():
        if name not in known:
            raise Trouble(
                f"The database (schema {schema}) was made by a newer Siao ({name}): use that one.",
                f"ฐานข้อมูล ({schema}) สร้างด้วยโปรแกรมรุ่นใหม่กว่า ({name}) โปรดใช้โปรแกรมรุ่นนั้น",
            )
        if known[name] != sha256:
            raise Trouble(
                f"{name} was changed after it was applied to schema {schema}: restore it, and add a new file instead.",
                f"ไฟล์ {name} ถูกแก้ไขหลังจากใช้กับ {schema} แล้ว โปรดคืนไฟล์เดิมและเพิ่มเป็นไฟล์ใหม่แทน",
            )
