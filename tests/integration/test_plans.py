"""What is planned once must be right for ever: also when it is planned while PostgreSQL takes every table for empty, a
statement looks each row up by an index, so that it costs the same in a table of any size."""

import re
from collections.abc import Iterator
from typing import Any

import asyncpg
import msgspec
import pytest

from services.projections import ledgers
from services.projections.models import MODELS
from services.projections.sql import QUERIES
from shared.eventstore import receipts, store
from shared.runtime.postgres import PLANNED_ONCE
from shared.runtime.statement import Statement, joined
from tests.support.servers import Servers

LOOKED_UP = ("known_of", "known", "facts_of", "cards", "parked_of", "forget_parked", "look_again", "linked")
PROJECTIONS = {name: QUERIES[name] for name in LOOKED_UP} | {
    f"{model.name}: {made.__name__.strip('_')}": made(model)
    for model in MODELS
    for made in (ledgers._select, ledgers._delete, ledgers._clear)
}


class Noting:
    """In the place of a connection: keeps what it is asked."""

    query = ""

    async def fetch(self, query: str, *_: Any) -> list[Any]:
        self.query = query
        return []


async def of_the_store() -> dict[str, str]:
    asked: dict[str, str] = {}
    for name, add in (("receipts", receipts.look_up), ("heads", store.lock)):
        statement = Statement(Noting())  # type: ignore[arg-type]
        add(statement, [("agency", "id")])  # type: ignore[arg-type, operator]
        asked[name] = statement._parts[name]
    noting = Noting()
    await store.load(noting, {"stream": 1})  # type: ignore[arg-type]
    return asked | {"load": noting.query}


def nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for part in plan.get("Plans", ()):
        yield from nodes(part)


async def wholly_read(connection: asyncpg.Connection, query: str) -> list[str]:
    """The tables of which its plan does not look rows up."""
    query, _ = joined(query, [])
    count = max(map(int, re.findall(r"\$(\d+)", query)))
    await connection.execute(f"PREPARE one AS {query}")
    told = await connection.fetchval(f"EXPLAIN (FORMAT JSON) EXECUTE one({', '.join(['NULL'] * count)})")
    await connection.execute("DEALLOCATE one")
    scans = [node for node in nodes(msgspec.json.decode(told)[0]["Plan"]) if "Relation Name" in node]
    reads = [node for node in scans if node["Node Type"] != "ModifyTable"]
    return [f"{node['Relation Name']}: {node}" for node in reads if not {"Index Cond", "TID Cond"} & node.keys()]


@pytest.mark.parametrize("schema", ["projections", "registry"])
async def test_each_row_is_looked_up_also_where_tables_were_empty(servers: Servers, schema: str):
    admin = await asyncpg.connect(servers.admin_dsn)
    await admin.execute("VACUUM ANALYZE")
    await admin.close()
    connection = await asyncpg.connect(servers.dsn(schema), server_settings=PLANNED_ONCE)
    queries = PROJECTIONS if schema == "projections" else await of_the_store()
    found = {name: await wholly_read(connection, query) for name, query in queries.items()}
    await connection.close()
    assert {name: tables for name, tables in found.items() if tables} == {}
