"""Row 5: commands appended: chain and sealing on, fsync on; as a library, and through HTTP by one worker."""

import asyncio
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import asyncpg

from shared.events.envelope import chain_hash
from tests.benchmarks import costs, profile
from tests.benchmarks.bench import Bench, Broke
from tests.benchmarks.commands import of_a_province
from tests.benchmarks.environment import Unavailable
from tests.benchmarks.http_client import Connection
from tests.benchmarks.report import RATE, Row, Variant, Wanted
from tests.benchmarks.rows.rebuild import fresh_schema
from tests.support.commands import gateway_token
from tests.support.processes import Process, running
from tests.support.servers import environment, free_port

LIBRARY, HTTP, PYES = "Siao as a library", "Siao through HTTP, one worker", "pyeventsourcing, 8 threads"
AT_ONCE = 32
"""Senders that wait for their answers."""
CREATED = 201
MODULE = [sys.executable, "-m", "tests.benchmarks.workers.append_library"]


async def run(bench: Bench) -> Row:
    row = Row(
        f"all commands of a province to the registry, appended one by one by {AT_ONCE} senders, fsync on",
        wanted=[
            Wanted(RATE, LIBRARY, PYES, at_least=8, aim=15),
            Wanted(RATE, HTTP, PYES, at_least=2, aim=4),
        ],
        notes=[
            "An event here is a command with its one event; a third registers households, with details sealed. "
            "Siao validates, decides, seals, finds who is registered twice, chains, remembers the receipt and "
            "queues for the relay; pyeventsourcing loads the household and stores the event."
        ],
    )
    library = row.variant(LIBRARY, "durable, repeatable by id, chained, sealed; senders share commits")
    http = row.variant(HTTP, "the same, with the token of the caller checked")
    pyes = row.variant(PYES, "durable; neither sealed nor chained nor known again by an id; a commit a command")
    for lot in range(bench.rounds):
        with tempfile.TemporaryDirectory() as folder:
            await _library(bench, library, _file(folder, 2 * lot))
            await _http(bench, http, of_a_province(2 * lot + 1))
            await _pyes(bench, pyes, _file(folder, 2 * lot))
    await _profile(bench, row)
    return row


def _file(folder: str, lot: int) -> Path:
    path = Path(folder, "commands")
    path.write_bytes(b"\n".join(of_a_province(lot)))
    return path


async def _library(bench: Bench, variant: Variant, file: Path) -> None:
    told = _told(bench, file)
    async with _stored(bench, variant):
        before = costs.cpu_seconds(bench.postgres)
        ended = await bench.process(MODULE, told)
        _note(bench, variant, ended, before)


async def _profile(bench: Bench, row: Row) -> None:
    """One round more of the library, whose figures do not count."""
    with tempfile.TemporaryDirectory() as folder:
        into, told = Path(folder, "stacks"), _told(bench, _file(folder, 2 * bench.rounds))
        try:
            await profile.record(bench, ["--", *MODULE], into, told)
            row.profile = profile.parts(await asyncio.to_thread(into.read_text))
        except (Unavailable, OSError, Broke) as why:
            row.notes.append(f"no profile: {why}")


def _told(bench: Bench, file: Path) -> dict[str, str]:
    return environment(bench.servers.settings("registry")) | _job(bench, file)


def _job(bench: Bench, file: Path) -> dict[str, str]:
    return {**bench.told(len(file.read_bytes().splitlines())), "BENCH_FILE": str(file)}


def _note(bench: Bench, variant: Variant, ended: dict[str, Any], before: float) -> None:
    spent = costs.Reading(ended["seconds"], ended["cpu"], costs.cpu_seconds(bench.postgres) - before)
    variant.note(costs.figures(ended["events"], spent))


async def _http(bench: Bench, variant: Variant, bodies: list[bytes]) -> None:
    settings = bench.servers.settings("registry", http_port=free_port())
    api = Process("registry", "api", settings, bench.servers.home.log("registry-api"))
    headers = {"Authorization": f"Bearer {gateway_token(bench.servers, 'registry', seconds=3600)}"}
    async with running(api), _stored(bench, variant):
        pids, waiting = [api.pid or 0], iter(bodies)
        connections = [await Connection.open(api.url) for _ in range(AT_ONCE)]
        before = costs.read(pids, bench.postgres)
        await asyncio.gather(*(_send(one, headers, waiting) for one in connections))
        variant.note(costs.figures(len(bodies), costs.read(pids, bench.postgres) - before))
        for one in connections:
            one.close()


async def _send(connection: Connection, headers: dict[str, str], waiting: Iterator[bytes]) -> None:
    for body in waiting:
        answer = await connection.ask("POST", "/commands", headers, body)
        if answer.status != CREATED:
            raise Broke(f"{answer.status}: {answer.body[:200]!r}")


async def _pyes(bench: Bench, variant: Variant, file: Path) -> None:
    if variant.failed:
        return
    await fresh_schema(bench)
    try:
        before = costs.cpu_seconds(bench.postgres)
        job = _job(bench, file)
        ended = await bench.process([bench.peers, "-m", "tests.benchmarks.peers.pyes", "append"], job)
        _note(bench, variant, ended, before)
        connection = await asyncpg.connect(bench.servers.admin_dsn)
        row = await connection.fetchrow("SELECT count(*), count(DISTINCT originator_id) FROM pyes.registry_events")
        variant.states.append({"events": row[0], "streams": row[1], "broken": 0})
        await connection.close()
    except (Broke, Unavailable) as why:
        variant.failed = str(why)


@asynccontextmanager
async def _stored(bench: Bench, variant: Variant) -> AsyncIterator[None]:
    """Notes what the block adds to the registry's store: events, streams, and links of chains that do not hold."""
    connection = await asyncpg.connect(bench.servers.admin_dsn)
    last = await connection.fetchval("SELECT coalesce(max(seq), 0) FROM registry.event")
    try:
        yield
        rows = await connection.fetch("SELECT stream, headers, value, hash FROM registry.event WHERE seq > $1", last)
        broken = sum(chain_hash(row["headers"], row["value"]) != row["hash"] for row in rows)
        variant.states.append({"events": len(rows), "streams": len({row["stream"] for row in rows}), "broken": broken})
    except Broke as why:
        variant.failed = str(why)
    finally:
        await connection.close()
