"""Row 7: from the answer to a command to a GET that shows it, through the gateway, at a steady rate."""

import asyncio
import statistics
import time
from collections.abc import Iterator, Sequence

from shared.runtime.auth import Role
from tests.benchmarks import costs
from tests.benchmarks.bench import Bench
from tests.benchmarks.commands import registrations
from tests.benchmarks.http_client import Connection
from tests.benchmarks.report import Row, Variant, Wanted
from tests.support.stack import Stack

RATES = {50: 120.0, 150: 200.0}
"""Commands a second -> ms that the 99th percentile may take."""
AIM = 50.0
SECONDS, WARM_UP = 12, 3
CREATED, OK = 201, 200
KEPT = 3.0
"""Seconds for which an unused connection is used again."""
P50, P99, ACK, REFUSED = "visible p50 ms", "visible p99 ms", "acknowledged p50 ms", "not answered"
WHOLE = "ms CPU a command"
"""Of all services, PostgreSQL and Kafka, with the GET that follows."""

Took = Sequence[tuple[float, float] | None]
"""Seconds to the answer, and from there to the GET that shows it; None where one of the two was refused."""


async def run(bench: Bench) -> Row:
    row = Row("command acknowledged → visible by GET, through the gateway, all services on this machine")
    stack = Stack(bench.servers)
    async with stack.running():
        pids = [process.pid or 0 for process in stack.processes.values()] + [bench.kafka]
        headers = {"Authorization": f"Bearer {stack.token(Role.AGENCY)}"}
        for lot in range(bench.rounds):
            for rate in RATES:
                variant = row.variant(f"{rate}/s", "read your own write: the GET carries Siao-After")
                bodies = iter(registrations(rate * (SECONDS + WARM_UP), 100 + 10 * lot + (rate > min(RATES))))
                before = costs.read(pids, bench.postgres)
                took = await _load(stack.gateway, headers, bodies, rate)
                spent = costs.read(pids, bench.postgres) - before
                _note(variant, took, rate)
                variant.note({WHOLE: (spent.cpu + spent.postgres) / len(took) * 1000})
    for rate, limit in RATES.items():
        row.wanted += [Wanted(P99, f"{rate}/s", at_most=limit, aim=AIM), Wanted(REFUSED, f"{rate}/s", at_most=0)]
    return row


def _note(variant: Variant, took: Took, rate: int) -> None:
    measured = [one for one in took[rate * WARM_UP :] if one]
    variant.note({REFUSED: sum(one is None for one in took)})
    visible = statistics.quantiles([after * 1000 for _, after in measured], n=100)
    acknowledged = statistics.median(answer * 1000 for answer, _ in measured)
    variant.note({P50: visible[49], P99: visible[98], ACK: acknowledged})


async def _load(url: str, headers: dict[str, str], bodies: Iterator[bytes], rate: int) -> Took:
    """Sends by the clock, whatever the answers take, each over a connection that nobody else uses."""
    idle: list[tuple[Connection, float]] = []
    began, tasks = time.monotonic(), []
    for n, body in enumerate(bodies):
        await asyncio.sleep(max(0.0, began + n / rate - time.monotonic()))
        tasks.append(asyncio.create_task(_one(url, headers, body, idle)))
    took = await asyncio.gather(*tasks)
    for connection, _ in idle:
        connection.close()
    return took


async def _connection(url: str, idle: list[tuple[Connection, float]]) -> Connection:
    """One that was used a moment ago, or a new one: servers close what has been idle for five seconds."""
    while idle:
        connection, used = idle.pop()
        if time.monotonic() - used < KEPT:
            return connection
        connection.close()
    return await Connection.open(url)


async def _one(
    url: str, headers: dict[str, str], body: bytes, idle: list[tuple[Connection, float]]
) -> tuple[float, float] | None:
    connection = await _connection(url, idle)
    sent = time.monotonic()
    told = await connection.ask("POST", "/v1/registry/commands", headers, body)
    answered = time.monotonic()
    if told.status != CREATED:
        return None
    version = told.headers["siao-version"]
    household = version.removeprefix("household-").partition("@")[0]
    shown = await connection.ask("GET", f"/v1/households/{household}", headers | {"Siao-After": version})
    idle.append((connection, time.monotonic()))
    return (answered - sent, time.monotonic() - answered) if shown.status == OK else None
