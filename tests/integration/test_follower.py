"""The follower on the real servers: what pairing knows of households is what the registry published, once."""

from collections.abc import AsyncIterator
from types import SimpleNamespace

import asyncpg
import pytest_asyncio

from shared.events import envelope
from shared.events.envelope import GENESIS
from shared.runtime import quarantine
from shared.runtime.registry_log import Aside, Readable
from tests.support.appending import append_many
from tests.support.following import followed
from tests.support.log import START, delivered, household, sealed
from tests.support.processes import Process, running
from tests.support.servers import Servers, free_port


@pytest_asyncio.fixture
async def registry(servers: Servers) -> AsyncIterator[asyncpg.Pool]:
    async with asyncpg.create_pool(servers.dsn("registry"), min_size=2, max_size=8) as made:
        yield made


@pytest_asyncio.fixture
async def pairing(servers: Servers) -> AsyncIterator[asyncpg.Pool]:
    async with asyncpg.create_pool(servers.dsn("pairing"), min_size=1, max_size=2) as made:
        yield made


def process(servers: Servers, service: str, part: str) -> Process:
    settings = servers.settings(service, http_port=free_port())
    return Process(service, part, settings, servers.home.log(f"{service}-{part}"))


async def test_it_knows_each_household_and_how_far_it_has_read(
    servers: Servers, registry: asyncpg.Pool, pairing: asyncpg.Pool
) -> None:
    first, second = process(servers, "pairing", "follower"), process(servers, "pairing", "follower")
    async with running(process(servers, "registry", "relay"), first):
        await append_many(registry, 500, at_once=4)
        await followed(registry, pairing)
        async with running(second):
            await first.end()
            await append_many(registry, 500, at_once=4, seed=1)
            await followed(registry, pairing)
    homes = await pairing.fetch("SELECT DISTINCT homes::text FROM known_household")
    assert [row["homes"] for row in homes] == ['[[1, "2019-10-01", "40190101"]]']


async def test_what_nobody_will_take_is_cut_and_expires(servers: Servers, pairing: asyncpg.Pool) -> None:
    """By the role of the service, which may do all of it. What waits stays whole, and for as long as it waits."""
    names = {"partition": 1, "headers": [("ce_id", b"x" * 100_000)]}
    large, empty, late = (
        SimpleNamespace(offset=n, value=value, **names) for n, value in enumerate([b"y" * 100_000, None, b"y" * 70_000])
    )
    waits = SimpleNamespace(slot=("hh_" + "1" * 20, 2, "hash"))
    for _ in range(2):  # it comes again
        aside = [Aside(large, "unknown type"), Aside(empty, "headers: KeyError"), Aside(late, "gap", waits)]
        await quarantine.keep(pairing, "siao.registry.v1", aside)
    sizes = "SELECT size, length(headers), length(value) FROM follower_quarantine ORDER BY size DESC"
    cut = quarantine.BYTES
    assert [tuple(row) for row in await pairing.fetch(sizes)] == [
        (100_000, cut, cut),
        (70_000, 100_007, 70_000),
        (0, cut, None),
    ]
    await quarantine.expire(pairing)
    await quarantine.count(pairing)
    assert quarantine.kept_now._value.get() == 3
    admin = await asyncpg.connect(servers.admin_dsn)
    await admin.execute("UPDATE pairing.follower_quarantine SET expires_at = now() WHERE size <> 100000")
    await admin.close()
    await quarantine.expire(pairing)
    assert [row[0] for row in await pairing.fetch(sizes)] == [100_000, 70_000]


async def test_what_waits_of_one_topic_is_apart_from_another_topics_record_at_the_same_place(
    servers: Servers, pairing: asyncpg.Pool
) -> None:
    record = sealed(f"case-{household(7)}", 1, GENESIS, delivered(household(7), 7), START)
    own, other = "siao.registry.v1", "siao.pairing.v1"
    named = [(name, (value or b"").decode()) for name, value in record.headers]
    waits = Readable(*envelope.read(named), record)
    for topic, reason in ((own, "gap"), (other, "headers: KeyError")):
        await quarantine.keep(pairing, topic, [Aside(record, reason, waits if topic == own else None)])
    [kept] = await quarantine.waiting(pairing, own, {household(7)})
    assert await quarantine.waiting(pairing, other, {household(7)}) == []
    await quarantine.settle(pairing, own, [kept], [Aside(kept.record, "chain", kept)])
    left = 'SELECT topic, reason FROM follower_quarantine WHERE partition = $1 AND "offset" = 0'
    found = await pairing.fetch(left, record.partition)
    assert {tuple(row) for row in found} == {(own, "chain"), (other, "headers: KeyError")}
    await quarantine.settle(pairing, own, [kept], [])
    assert [row["topic"] for row in await pairing.fetch(left, record.partition)] == [other]
