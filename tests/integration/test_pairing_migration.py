"""Tables of pairing that come later are filled from the events of a store that is older."""

import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import asyncpg
import pytest_asyncio

from shared.runtime import ids
from tests.support.servers import Servers

ROOT = Path(__file__).parents[2]
NEW = ROOT / "services/pairing/migrations/0002_corrections.sql"
OLD = [
    *sorted((ROOT / "shared/eventstore/migrations").glob("*.sql")),
    ROOT / "services/pairing/migrations/0001_helper.sql",
]


@pytest_asyncio.fixture
async def older(servers: Servers) -> AsyncIterator[asyncpg.Connection]:
    """A database whose schema `pairing` is as it was before that migration."""
    admin = await asyncpg.connect(servers.admin_dsn)
    await admin.execute("CREATE DATABASE older")
    await admin.close()
    connection = await asyncpg.connect(servers.cluster.dsn("older"))
    await connection.execute("CREATE SCHEMA pairing")
    await connection.execute("SET search_path = pairing")
    for file in OLD:
        await connection.execute(file.read_text())
    yield connection
    await connection.close()


async def test_leads_and_counts_of_pairs_are_filled_in(older: asyncpg.Connection) -> None:
    helper, idle = ids.new_id("hp"), ids.new_id("hp")
    homes = [ids.new_id("hh") for _ in range(4)]
    for one, load in ((helper, 2), (idle, 0)):
        await older.execute("INSERT INTO helper VALUES ($1, 'officer', '4019', '2019-09-20', $2)", one, load)
    pairs: list[tuple[str, str, list[tuple[str, str]]]] = [
        (homes[0], "lead", [("PairAssigned.v1", "2019-10-02")]),
        (homes[1], "lead", [("PairAssigned.v1", "2019-10-01"), ("PairEnded.v1", "2019-10-05")]),
        (homes[2], "supporting", [("PairAssigned.v1", "2019-11-01")]),
        (
            homes[3],
            "lead",
            [("PairAssigned.v1", "2019-10-03"), ("PairEnded.v1", "2019-10-05"), ("PairAssigned.v1", "2019-10-06")],
        ),
    ]
    for home, role, told in pairs:
        for version, (kind, day) in enumerate(told, start=1):
            await add(older, home, version, kind, {"helper": helper, "role": role, "occurred_on": day})
    await older.execute(NEW.read_text())
    rows = await older.fetch("SELECT helper, pairs, paired_since::text, voided FROM helper")
    assert {tuple(row) for row in rows} == {(helper, 3, "2019-10-01", False), (idle, 0, None, False)}
    leads = await older.fetch("SELECT household, version, helper, since::text, until::text FROM lead")
    assert {tuple(row) for row in leads} == {
        (homes[0], 1, helper, "2019-10-02", None),
        (homes[1], 1, helper, "2019-10-01", "2019-10-05"),
        (homes[3], 1, helper, "2019-10-03", "2019-10-05"),
        (homes[3], 3, helper, "2019-10-06", None),
    }


async def add(older: asyncpg.Connection, home: str, version: int, kind: str, data: dict[str, str]) -> None:
    value = json.dumps({"household": home, **data}).encode()
    await older.execute(
        """INSERT INTO event (stream, version, id, type, partition, recorded_at, headers, value, hash)
           VALUES ($1, $2, gen_random_uuid(), $3, 0, $4, '', $5, '')""",
        f"pairing-{home}",
        version,
        kind,
        datetime(2019, 12, 1, tzinfo=UTC),
        value,
    )
