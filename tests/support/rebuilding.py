"""What the tests of the rebuild share: a province in the log, the command as an operator runs it, a schema's rows."""

import asyncio
import io
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from itertools import islice
from pathlib import Path
from typing import Any

import asyncpg
from aiokafka import AIOKafkaProducer
from rich.console import Console

from deploy.local.home import write_json
from deploy.local.rebuild import files, make_tables
from services.projections.rebuild import targets
from services.projections.rebuild.setting import Setting
from shared.events.base import Event
from shared.events.codes import Dimension, HouseholdClass, PairRole
from shared.runtime.consumer import consuming
from tests.support import mended, projections
from tests.support.log import (
    DAY,
    Log,
    Record,
    assessed,
    assigned,
    classified,
    delivered,
    ended,
    enrolled,
    helper,
    household,
    registered,
)
from tests.support.processes import ROOT
from tests.support.servers import Servers


def setting(servers: Servers, processes: int = 1) -> Setting:
    console = Console(file=io.StringIO())
    return Setting(servers.settings("projections"), servers.admin_dsn, make_tables, files(), console, processes)


def history(log: Log, prefix: str, households: int) -> Iterator[Record]:
    """Nine events a household and one more for its helper, the households' events interleaved as time goes on."""
    keys = [(household(f"{prefix}{n}"), helper(f"{prefix}{n}")) for n in range(households)]
    for number, (key, by) in enumerate(keys):
        yield log.add(f"household-{key}", registered(key, village=f"40{1 + number % 26:02}0101"))
        yield log.add(f"helper-{by}", enrolled(by))
        yield log.add(f"pairing-{key}", assigned(key, by))
    for day in range(2):
        on = DAY + timedelta(days=day)
        for number, (key, _) in enumerate(keys):
            yield log.add(f"household-{key}", assessed(key, on, living=True, health=number % 3 == 0))
            yield log.add(f"case-{key}", delivered(key, f"{prefix}{number}d{day}", Dimension.LIVING, on=on))
    for number, (key, by) in enumerate(keys):
        yield log.add(f"household-{key}", classified(key, HouseholdClass.DEVELOPABLE))
        unpaired = ended(key, by, date(2019, 12, 1)), assigned(key, helper(f"{prefix}0"), role=PairRole.SUPPORTING)
        yield log.add(f"pairing-{key}", unpaired[number % 2])


PER_HOUSEHOLD = 9


def merging(log: Log, prefix: str, groups: int) -> Iterator[Record]:
    """Three households a group, in as many partitions: one moves, is mended and merged into the second, which is merged
    into the third, and every other time parts from it again; what was entered comes before, between and after."""
    for n in range(groups):
        one, two, three = (household(f"{prefix}{n}x{i}") for i in range(3))
        by = helper(f"{prefix}{n}")
        for key, village in (one, "40190101"), (two, "40190202"), (three, f"40{1 + n % 26:02}0303"):
            yield log.add(f"household-{key}", registered(key, village))
            yield log.add(f"household-{key}", assessed(key, living=True))
        yield log.add(f"pairing-{one}", assigned(one, by))
        yield log.add(f"household-{one}", mended.relocated(one, "40010101"))
        yield log.add(f"household-{two}", mended.recoded(two, "40190202", "40190221", date(2019, 12, 1)))
        yield log.add(f"case-{two}", delivered(two, f"{prefix}{n}", Dimension.HEALTH))
        yield from _both(log, mended.merged, one, two)
        yield log.add(f"household-{one}", mended.relocation_corrected(one, 3, "40020101"))
        yield from _both(log, mended.merged, two, three)
        yield log.add(f"case-{two}", mended.help_corrected(two, f"{prefix}{n}", Dimension.LIVING))
        yield log.add(f"household-{three}", mended.entry_voided(three, 2))
        if n % 2:
            yield from _both(log, mended.unmerged, two, three)
            yield log.add(f"case-{two}", mended.help_voided(two, f"{prefix}{n}"))


def _both(log: Log, make: Callable[..., tuple[Event, Event]], key: str, other: str) -> Iterator[Record]:
    for of, end in zip((key, other), make(key, other), strict=True):
        yield log.add(f"household-{of}", end)


async def publish(servers: Servers, records: Iterator[Record]) -> int:
    """As many as there are, in order."""
    producer, count = AIOKafkaProducer(**servers.kafka_login("admin"), linger_ms=5, enable_idempotence=True), 0
    await producer.start()
    try:
        while some := list(islice(records, 500)):
            sent = [
                await producer.send(r.topic, r.value, r.key, partition=r.partition, headers=list(r.headers))
                for r in some
            ]
            await asyncio.gather(*sent)
            count += len(some)
    finally:
        await producer.stop()
    return count


async def until_folded(servers: Servers, seconds: float = 40) -> None:
    """Returns when the live checkpoints stand at the ends of the log."""
    connection = await asyncpg.connect(servers.admin_dsn)
    try:
        async with consuming(servers.settings("projections")) as consumer, asyncio.timeout(seconds):
            while (await targets.of_schema(connection, "projections")) != await targets.log_ends(consumer):
                await asyncio.sleep(0.1)
    finally:
        await connection.close()


async def state(servers: Servers, schema: str) -> dict[str, list[tuple[Any, ...]]]:
    """Every row of a schema, table by table (tests/support/projections.py)."""
    connection = await asyncpg.connect(servers.admin_dsn, server_settings={"search_path": schema})
    try:
        return await projections.state(connection)
    finally:
        await connection.close()


async def schemas(servers: Servers) -> set[str]:
    connection = await asyncpg.connect(servers.admin_dsn)
    try:
        return {
            row[0] for row in await connection.fetch("SELECT nspname FROM pg_namespace WHERE nspname ~ '^projections'")
        }
    finally:
        await connection.close()


class Command:
    """`./siao rebuild …` on the servers of a test, as a process of its own; one folds, unless more are named."""

    def __init__(self, servers: Servers, *arguments: str, folder: Path = ROOT, **environment: str) -> None:
        write_json(servers.home.ports, {})
        password, place = servers.words["kafka"]["admin"], servers.broker.address
        named = {
            "SIAO_HOME": str(servers.home.root),
            "SIAO_POSTGRES": servers.cluster.dsn(),
            "SIAO_KAFKA": f"admin:{password}@{place}",
        }
        self.process = subprocess.Popen(
            [sys.executable, "-m", "deploy.local", "rebuild", "--processes", "1", *arguments],
            cwd=folder,
            env=os.environ | named | environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    async def end(self) -> tuple[int, str]:
        """Exit code and everything that it said."""
        said, _ = await asyncio.to_thread(self.process.communicate, timeout=120)
        return self.process.returncode, said
