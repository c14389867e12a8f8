"""The tables of a read model: its ledger, which says what each fact changed, and its rollup, the ledger's sum."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from functools import cache

import asyncpg

from services.projections.decode import partition_of
from services.projections.fold import Change, Version
from services.projections.model import ReadModel
from services.projections.steps import Cell, Rows
from shared.runtime.postgres import columns

COMMON = ["key", "recorded_at", "stream", "version", "event_id", "partition", "delta", "valid_on"]
"""The columns that every ledger has."""
Gone = tuple[str, str, int]
"""key, stream, version: a fact whose rows go."""
Sum = tuple[int, *Cell]
"""partition, then a cell."""


async def stored(
    connection: asyncpg.Connection, model: ReadModel, keys: Collection[str]
) -> dict[str, dict[Version, Rows]]:
    """Key -> fact -> the rows that it made."""
    found: dict[str, dict[Version, Rows]] = {key: defaultdict(dict) for key in keys}
    for key, stream, version, delta, *row in await connection.fetch(_select(model), list(keys)):
        found[key][stream, version][tuple(row)] = delta
    return found


async def write(
    connection: asyncpg.Connection, model: ReadModel, gone: Collection[Gone], come: Mapping[str, Sequence[Change]]
) -> None:
    """Takes the rows of some facts out, and puts rows in, by key. They are of the key's partition, whichever worker
    writes them: so a rollup never goes below zero, and a rebuilt one is the same."""
    if gone:
        await connection.execute(_delete(model), *columns(sorted(gone)))
    rows = [
        (key, *c.fact.order, c.fact.event_id, partition, c.delta, *c.row)
        for key, changes in come.items()
        for partition in (partition_of(key),)
        for c in changes
    ]
    if rows:
        names = [*COMMON, *model.columns]
        await connection.copy_records_to_table(f"{model.name}_ledger", records=rows, columns=names)


async def roll_up(connection: asyncpg.Connection, model: ReadModel, sums: Mapping[Sum, int]) -> None:
    """Adds to the sums of some cells; a cell that comes to zero goes, so that live and rebuilt tables are equal.

    Sorted: two transactions that write for one partition, as merged households make them do, wait in one order.
    """
    rows = sorted((cell, n) for cell, n in sums.items() if n)
    if not rows:
        return
    await connection.execute(_add(model), *columns((n, *cell) for cell, n in rows))
    fallen = [cell for cell, n in rows if n < 0]
    if fallen:
        await connection.execute(_clear(model), *columns(fallen))


# The names in the following come from the read models' own source, never from outside.


def summed(model: ReadModel, schema: str) -> str:
    """Fills a rollup that is empty."""
    names = ", ".join(("partition", *model.columns))
    return (
        f"INSERT INTO {schema}.{model.name}_rollup ({names}, n) "  # noqa: S608
        f"SELECT {names}, sum(delta) FROM {schema}.{model.name}_ledger GROUP BY {names} HAVING sum(delta) <> 0"
    )


@cache
def _select(model: ReadModel) -> str:
    names = ", ".join(model.columns)
    return f"SELECT key, stream, version, delta, valid_on, {names} FROM {model.name}_ledger WHERE key = ANY($1)"  # noqa: S608


@cache
def _delete(model: ReadModel) -> str:
    return (
        f"DELETE FROM {model.name}_ledger AS held "  # noqa: S608
        "USING unnest($1::text[], $2::text[], $3::integer[]) AS gone (key, stream, version) "
        "WHERE held.key = gone.key AND held.stream = gone.stream AND held.version = gone.version"
    )


@cache
def _add(model: ReadModel) -> str:
    names = ", ".join(model.columns)
    return (
        f"INSERT INTO {model.name}_rollup AS held (n, partition, {names}) "  # noqa: S608
        f"SELECT * FROM unnest($1::integer[], $2::smallint[], {_texts(model, 3)}) "
        f"ON CONFLICT (partition, {names}) DO UPDATE SET n = held.n + excluded.n"
    )


@cache
def _clear(model: ReadModel) -> str:
    names = ", ".join(model.columns)
    same = " AND ".join(f"held.{name} = fallen.{name}" for name in model.columns)
    return (
        f"DELETE FROM {model.name}_rollup AS held "  # noqa: S608
        f"USING unnest($1::smallint[], {_texts(model, 2)}) AS fallen (partition, {names}) "
        f"WHERE held.partition = fallen.partition AND {same} AND held.n = 0"
    )


def _texts(model: ReadModel, first: int) -> str:
    return ", ".join(f"${first + i}::text[]" for i in range(len(model.columns)))
