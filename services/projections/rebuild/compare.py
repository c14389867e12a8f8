"""Two schemas held against each other, every table by count and by a checksum that no order of rows changes.

Left out is what tells when a row was written and where a repeat of an event stood in the log: both differ between two
runs over the same events. Not compared are `watermark` (not made from events) and `quarantine` (its rows expire by the
clock); both are copied at the switch. Nor is the history of coverage: sums of the ledger, which is compared, in blocks
whose edges tell when the watermark was where; the worker makes them anew behind the switch.
"""

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import asyncpg

from services.projections.rebuild import schemas

COPIED = ("watermark", "quarantine")
MADE_ANEW = frozenset({"coverage_block", "coverage_cell", "coverage_history"})
NOT_COMPARED = MADE_ANEW | {"migration", "made_by", *COPIED}
LEFT_OUT: Mapping[str, frozenset[str]] = {
    "checkpoint": frozenset({"updated_at"}),
    "parked": frozenset({"parked_at", "offset"}),
    "fact": frozenset({"offset"}),
}
LARGE = frozenset({"fact", "card", "stream_head"})
"""And every ledger: they grow with the events, the others do not."""
OPAQUE = frozenset({"headers", "value", "state"})
"""Shown by their length only: what stands in them may concern a person."""

Sum = tuple[int, int]
"""Rows, checksum."""
Row = Mapping[str, object]


@dataclass(frozen=True)
class Difference:
    """A table that is not the same, and the first row, in the order of its columns, that only one of the two has."""

    table: str
    live: Sum
    copy: Sum
    live_row: Row | None
    copy_row: Row | None


@dataclass(frozen=True)
class Compared:
    tables: int = 0
    rows: int = 0
    different: list[Difference] = field(default_factory=list)
    only_live: list[str] = field(default_factory=list)
    only_copy: list[str] = field(default_factory=list)
    """Tables of read models that were taken away, or that are new."""


def is_small(table: str) -> bool:
    return table not in LARGE and not table.endswith("_ledger")


async def compare(
    live: asyncpg.Connection, copy: asyncpg.Connection, schema: str, *, small_only: bool = False
) -> Compared:
    """`live` and `copy` are two connections, so that both schemas are read at once; either may see both schemas."""
    in_live, in_copy = await _comparable(live, schemas.LIVE), await _comparable(live, schema)
    both = [table for table in in_live if table in in_copy and (is_small(table) or not small_only)]
    rows, different = 0, []
    for table in both:
        names = await common(live, schema, table)
        sums = await asyncio.gather(
            _sum(live, f"{schemas.LIVE}.{table}", names), _sum(copy, f"{schema}.{table}", names)
        )
        rows += sums[0][0]
        if sums[0] != sums[1]:
            different.append(Difference(table, *sums, *await _first(live, copy, schema, table, names)))
    missing = [table for table in in_live if table not in in_copy]
    return Compared(len(both), rows, different, missing, [table for table in in_copy if table not in in_live])


async def _comparable(connection: asyncpg.Connection, schema: str) -> list[str]:
    return [table for table in await schemas.tables(connection, schema) if table not in NOT_COMPARED]


async def columns(connection: asyncpg.Connection, schema: str, table: str) -> list[str]:
    """Those that are compared."""
    rows = await connection.fetch(
        """SELECT attname FROM pg_attribute WHERE attrelid = to_regclass($1) AND attnum > 0 AND NOT attisdropped
           ORDER BY attnum""",
        f"{schema}.{table}",
    )
    return [row[0] for row in rows if row[0] not in LEFT_OUT.get(table, frozenset())]


# The names in the following come from PostgreSQL's catalogue of our own schemas, never from outside.


async def common(connection: asyncpg.Connection, schema: str, table: str) -> list[str]:
    """The columns of a table that both the live schema and the other have."""
    named = await columns(connection, schema, table)
    return [name for name in await columns(connection, schemas.LIVE, table) if name in named]


def quoted(names: Iterable[str]) -> str:
    return ", ".join(f'"{name}"' for name in names)


async def _sum(connection: asyncpg.Connection, table: str, names: list[str]) -> Sum:
    row = await connection.fetchrow(
        f"SELECT count(*), coalesce(sum(hash_record_extended(ROW({quoted(names)}), 0)), 0) FROM {table}"  # noqa: S608
    )
    return row[0], int(row[1])


async def _first(
    live: asyncpg.Connection, copy: asyncpg.Connection, schema: str, table: str, names: list[str]
) -> tuple[Row | None, Row | None]:
    here, there = f"{schemas.LIVE}.{table}", f"{schema}.{table}"
    return await asyncio.gather(_extra(live, here, there, names), _extra(copy, there, here, names))


async def _extra(connection: asyncpg.Connection, table: str, other: str, names: list[str]) -> Row | None:
    listed = quoted(names)
    row = await connection.fetchrow(
        f"SELECT {listed} FROM {table} EXCEPT ALL SELECT {listed} FROM {other} ORDER BY {listed} LIMIT 1"  # noqa: S608
    )
    return None if row is None else {name: _shown(name, value) for name, value in row.items()}


def _shown(name: str, value: object) -> object:
    return f"({len(value)} long)" if name in OPAQUE and isinstance(value, str | bytes) else value
