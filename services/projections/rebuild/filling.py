"""How a copy is begun: its large tables are filled without indexes, which are made afterwards, sorted and cheap.

What was taken off stands in the comment on the schema until it is put on again: so a run that was killed goes on.
"""

import json

import asyncpg

from services.projections import engine
from services.projections.models import MODELS
from services.projections.rebuild import schemas
from services.projections.rebuild.compare import is_small
from services.projections.rebuild.setting import MakeTables

FIND = """
SELECT format('ALTER TABLE %s ADD CONSTRAINT %I %s', conrelid::regclass, conname, pg_get_constraintdef(oid)) AS on,
       format('ALTER TABLE %s DROP CONSTRAINT %I', conrelid::regclass, conname) AS off
FROM pg_constraint WHERE contype IN ('p', 'u') AND conrelid = ANY($1::regclass[])
UNION ALL
SELECT pg_get_indexdef(indexrelid), format('DROP INDEX %s', indexrelid::regclass)
FROM pg_index WHERE indrelid = ANY($1::regclass[])
AND NOT EXISTS (SELECT FROM pg_constraint WHERE conindid = indexrelid AND contype IN ('p', 'u'))
"""
MEMORY = "256MB"
"""For sorting an index, of PostgreSQL's."""


async def begin(connection: asyncpg.Connection, schema: str, make_tables: MakeTables, *, afresh: bool = False) -> bool:
    """An empty schema with every table, or the half-made one that an earlier run of the same code left: then True."""
    mark = f"half-made by {schemas.fingerprint()}"
    if (await schemas.said(connection, schema)).partition("\n")[0] == mark and not afresh:
        return True
    await schemas.drop(connection, schema)
    await make_tables(connection, schema)
    # Only now: a schema without this mark may lack tables, and is made anew.
    await _take_off(connection, schema, mark)
    return False


async def _take_off(connection: asyncpg.Connection, schema: str, mark: str) -> None:
    """`mark` becomes the schema's comment, with what has to be put on again in lines below it."""
    async with connection.transaction():
        await connection.execute("SET LOCAL search_path = ''")
        large = [f"{schema}.{table}" for table in await schemas.tables(connection, schema) if not is_small(table)]
        found = await connection.fetch(FIND, large)
        for row in found:
            await connection.execute(row["off"])
        await schemas.comment(connection, schema, "\n".join([mark, json.dumps([row["on"] for row in found])]))


async def is_open(connection: asyncpg.Connection, schema: str) -> bool:
    """Whether the schema is still to be filled without its indexes."""
    return "\n" in await schemas.said(connection, schema)


async def finish(connection: asyncpg.Connection, schema: str) -> None:
    """Makes the indexes and folds merged households together, all or nothing."""
    async with connection.transaction():
        await connection.execute(
            f"SET LOCAL search_path = ''; SET LOCAL maintenance_work_mem = '{MEMORY}'; "
            f"SET LOCAL work_mem = '{MEMORY}'; SET LOCAL synchronous_commit = off"
        )
        mark, _, listed = (await schemas.said(connection, schema)).partition("\n")
        for statement in json.loads(listed):
            await connection.execute(statement)
        await connection.execute(f"SET LOCAL search_path = {schema}")
        await engine.fold_groups(connection, MODELS)
        await schemas.comment(connection, schema, mark)
