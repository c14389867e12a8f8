"""The two ways into the tables come to the same rows: the engine, batch by batch as things arrive, and the gathered
load of a rebuild, whatever the log holds and however few records are held at once.
"""

import random
from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

import asyncpg
import pytest

from services.projections.decode import SERVICE_OF_TOPIC
from services.projections.facts import Held
from services.projections.rebuild import load
from services.projections.rebuild.spool import Spool
from shared.events.codes import HouseholdClass
from shared.events.topics import EVENT_TOPICS, PARTITIONS
from tests.support.log import Log, classified, enrolled, helper, household, registered, resealed
from tests.support.projections import assert_rolled_up, crowd, feed, state, tables
from tests.support.servers import Servers


def damaged(seed: int) -> Log:
    """A crowd, and everything that does not fit: repeats, forks, a gap, altered and unreadable records."""
    draw, crowded, log = random.Random(seed), crowd(60, seed), Log()
    for record in crowded.records:
        log.put(record)
        for chance, bad in (
            (0.05, record),
            (0.02, resealed(record, (record.value or b"").replace(b"{", b"{ ", 1))),
            (0.02, replace(record, value=b"{")),
            (0.02, resealed(record, b"{")),
            (0.01, replace(record, headers=[("ce_id", b"1")], key=None)),
        ):
            if draw.random() < chance:
                log.put(bad)
    gap = Log()
    _, _, third = (gap.add(f"household-{household('gap')}", registered(household("gap"))) for _ in range(3))
    log.put(third)
    for n in range(3):
        log.add(f"helper-{helper(n)}", enrolled(helper(n)))
    lost, key = Log(), household("late")
    for n in range(4):
        lost.add(f"household-{key}", registered(key) if n == 0 else classified(key, draw.choice(list(HouseholdClass))))
    for n in 1, 3, 0, 2:  # the versions of one stream in another order
        log.put(lost.records[n])
    return log


def chunks(log: Log) -> Any:
    """In place of a broker."""

    def read(_: object, number: int, until: Mapping[str, int]) -> Iterator[list[Held]]:
        mine = [r for r in log.records if r.partition == number and r.offset < until[SERVICE_OF_TOPIC[r.topic]]]
        held = [Held(r.topic, r.partition, r.offset, r.key, r.value, list(r.headers)) for r in mine]
        yield from (held[n : n + 7] for n in range(0, len(held), 7))

    return read


def ends(log: Log, number: int) -> dict[str, int]:
    at = dict.fromkeys(EVENT_TOPICS, 0)
    for record in log.records:
        if record.partition == number:
            at[SERVICE_OF_TOPIC[record.topic]] = record.offset + 1
    return at


async def whole(connection: asyncpg.Connection) -> dict[str, list[tuple[Any, ...]]]:
    """With what is set aside, and how far everything is read."""
    rows = await state(connection)
    rows["parked"] = await connection.fetch(
        "SELECT stream, version, hash, key, reason, topic, partition, headers, value FROM parked ORDER BY 1, 2, 3"
    )
    rows["quarantine"] = await connection.fetch(
        'SELECT topic, partition, "offset", reason, stream, version, headers, value FROM quarantine ORDER BY 1, 2, 3'
    )
    rows["checkpoint"] = await connection.fetch(
        """SELECT partition, registry, pairing, interventions, registry_tail, pairing_tail, interventions_tail, newest
           FROM checkpoint WHERE registry + pairing + interventions > 0 ORDER BY 1"""
    )
    return rows


@pytest.mark.parametrize(("seed", "heap"), [(1, 10), (2, 100_000)])
async def test_loaded_and_folded_are_the_same(servers: Servers, monkeypatch: pytest.MonkeyPatch, seed: int, heap: int):
    log = damaged(seed)
    monkeypatch.setattr(load, "chunks", chunks(log))
    monkeypatch.setattr(load, "Spool", partial(Spool, heap=heap))
    async with tables(servers.admin_dsn) as folded, tables(servers.admin_dsn) as loaded:
        for first in range(0, len(log.records), 50):
            await feed(folded, log.records[first : first + 50])
        for number in range(PARTITIONS):
            tally = await load.load(loaded, None, number, ends(log, number), None)  # type: ignore[arg-type]
            assert tally.read == sum(ends(log, number).values())
            assert (await load.load(loaded, None, number, ends(log, number), None)).read == 0  # type: ignore[arg-type]
        expected, found = await whole(folded), await whole(loaded)
        for table, rows in expected.items():
            assert found[table] == rows, table
        assert all(expected.values())
        await assert_rolled_up(loaded)
