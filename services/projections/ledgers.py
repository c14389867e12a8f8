"""The tables of a read model: its ledger, which says what each fact changed, and its rollup, the ledger's sum."""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from functools import cache

import asyncpg

from services.projections.decode import partition_of
from services.projections.fold import Change, Version
from services.projections.model import ReadModel
from services.projections.packing import literal, moves, of_moves
from services.projections.sql import Part
from services.projections.steps import Cell, Rows
from shared.runtime.postgres import columns

COMMON = ["key", "recorded_at", "stream", "version", "event_id", "partition", "valid_on"]
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
    for key, stream, version, moved, *row in await connection.fetch(_select(model), list(keys)):
        found[key][stream, version][tuple(row)] = of_moves(moved) if model.packing else moved
    return found


def write(model: ReadModel, gone: Collection[Gone], come: Mapping[str, Sequence[Change]]) -> list[Part]:
    """Takes the rows of some facts out, and puts rows in, by key. They are of the key's partition, whichever worker
    writes them: so a rollup never goes below zero, and a rebuilt one is the same."""
    deleted = [Part(_delete(model), columns(sorted(gone)))] if gone else []
    rows = _rows(model, come, literal)
    return [*deleted, Part(_insert(model), columns(rows))] if rows else deleted


async def copy(connection: asyncpg.Connection, model: ReadModel, come: Mapping[str, Sequence[Change]]) -> None:
    """Puts rows into a ledger that is being filled."""
    rows = _rows(model, come, moves)
    await connection.copy_records_to_table(f"{model.name}_ledger", records=rows, columns=_columns(model))


def _columns(model: ReadModel) -> list[str]:
    """Of its ledger."""
    return [*COMMON, *model.packing.kept, "moves"] if model.packing else [*COMMON, *model.columns, "delta"]


def _rows(
    model: ReadModel, come: Mapping[str, Sequence[Change]], moved: Callable[[int], object]
) -> list[tuple[object, ...]]:
    """`moved`: how a packed delta is sent."""
    sent = moved if model.packing else int
    return [
        (key, *fact.order, fact.event_id, partition, *row, sent(delta))
        for key, changes in come.items()
        for partition in (partition_of(key),)
        for fact, row, delta in changes
    ]


def add_up(sums: dict[Sum, int], key: str, changes: Iterable[Change]) -> None:
    """By how much a key's changes change the sums, packed as they are."""
    partition = partition_of(key)
    for change in changes:
        sums[partition, *change.row[1:]] += change.delta


async def copy_rollup(connection: asyncpg.Connection, model: ReadModel, sums: Mapping[Sum, int]) -> None:
    """Puts a partition number's packed sums into a rollup that has none of it."""
    rows = [(*cell, n) for cell, n in model.unpacked(sums).items() if n]
    names = ["partition", *model.columns, "n"]
    await connection.copy_records_to_table(f"{model.name}_rollup", records=rows, columns=names)


def roll_up(model: ReadModel, sums: Mapping[Sum, int]) -> list[Part]:
    """Adds to the sums of some cells, sorted: two transactions that write for one partition, as merged households make
    them do, then wait in one order."""
    rows = [(n, *cell) for cell, n in sums.items() if n]
    return [Part(_add(model), columns(rows))] if rows else []


def clear(model: ReadModel, sums: Mapping[Sum, int]) -> list[Part]:
    """Afterwards: a cell that came to zero goes, so that live and rebuilt tables are equal."""
    fallen = [cell for cell, n in sums.items() if n < 0]
    return [Part(_clear(model), columns(fallen))] if fallen else []


# The names in the following come from the read models' own source, never from outside.


@cache
def _select(model: ReadModel) -> str:
    *told, moved = _columns(model)
    names = ", ".join([moved, *told[len(COMMON) - 1 :]])
    return f"SELECT key, stream, version, {names} FROM {model.name}_ledger WHERE key = ANY($1)"  # noqa: S608


@cache
def _insert(model: ReadModel) -> str:
    *told, moved = _columns(model)
    texts = "".join(f", ${number}::text[]" for number in range(len(COMMON) + 1, len(told) + 1))
    of_moved, to_moved = ("text", "::smallint[]") if model.packing else ("smallint", "")  # no array of arrays
    return (
        f"INSERT INTO {model.name}_ledger ({', '.join(told)}, {moved}) "  # noqa: S608
        f"SELECT {', '.join(told)}, {moved}{to_moved} FROM unnest($1::text[], $2::timestamptz[], $3::text[], "
        f"$4::integer[], $5::uuid[], $6::smallint[], $7::date[]{texts}, ${len(told) + 1}::{of_moved}[]) "
        f"AS made ({', '.join(told)}, {moved})"
    )


@cache
def _delete(model: ReadModel) -> str:
    return _delete_each(
        f"{model.name}_ledger",
        "unnest($1::text[], $2::text[], $3::integer[]) AS named (key, stream, version)",
        "held.key = named.key AND held.stream = named.stream AND held.version = named.version",
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
    same = " AND ".join(f"held.{name} = named.{name}" for name in ("partition", *model.columns))
    return _delete_each(
        f"{model.name}_rollup",
        f"unnest($1::smallint[], {_texts(model, 2)}) AS named (partition, {names})",
        f"{same} AND held.n = 0",
    )


def _delete_each(table: str, named: str, which: str) -> str:
    """The rows that nobody else writes, each looked up by an index whatever the table was like when this was planned:
    DELETE … USING may read all of it for each that is `named`."""
    return (
        f"DELETE FROM {table} WHERE ctid = ANY (ARRAY(SELECT place FROM {named} "  # noqa: S608
        f"CROSS JOIN LATERAL (SELECT held.ctid AS place FROM {table} AS held WHERE {which} OFFSET 0) AS found))"
    )


def _texts(model: ReadModel, first: int) -> str:
    return ", ".join(f"${first + i}::text[]" for i in range(len(model.columns)))
