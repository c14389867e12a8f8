"""What every row is given: servers, a log on them, and ways to have a process do the job and see what it cost."""

import asyncio
import ctypes
import json
import os
import secrets
import signal
import sys
from asyncio.subprocess import DEVNULL, PIPE
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import Any

import asyncpg
from confluent_kafka.admin import AdminClient, NewTopic
from rich.console import Console

from shared.events.topics import EVENT_TOPICS, PARTITIONS
from tests.benchmarks import costs, environment, workload
from tests.benchmarks.peers.job import DDL, Cell
from tests.benchmarks.report import Variant
from tests.support.servers import PR_SET_PDEATHSIG, Servers

ROOT = Path(__file__).parents[2]
TENTH, MANY, TIMES = "tenth.", "many.", 5
"""Prefixes of topics: with a log of a tenth of the length, for engines that would need minutes for the whole; and with
the log several times over, for a job that takes no second otherwise."""
CHUNK = 20_000
"""Records held in memory while they are published."""
SECONDS = 300
"""The longest that a variant may take for one round."""


class Broke(Exception):
    """A variant's process ended early or said nothing; the end of what it wrote."""


@dataclass
class Bench:
    servers: Servers
    console: Console
    rounds: int
    events: int
    counts: dict[str, dict[Cell, int]] = field(default_factory=dict)
    """By prefix of the topics: what counting them must come to."""

    @cached_property
    def peers(self) -> Path:
        """Raises Unavailable."""
        self.console.print("  the peers' environment …")
        return environment.python()

    @property
    def postgres(self) -> int:
        """Pid of the postmaster."""
        assert self.servers._postgres is not None
        return self.servers._postgres.pid

    @property
    def kafka(self) -> int:
        """Pid of the broker."""
        assert self.servers._kafka is not None
        return self.servers._kafka.pid

    async def publish(self) -> None:
        """The log, a shorter one, and the log several times."""
        await self._make_topics()
        self.console.print(f"  publishing {self.events:,} events …")
        await asyncio.to_thread(self._publish)

    def _publish(self) -> None:
        publisher = workload.Publisher(self.servers)
        self.counts[TENTH] = publisher.publish(workload.records(self.events // 10), TENTH)
        records = workload.records(self.events)
        totals: Counter[Cell] = Counter()
        while some := list(islice(records, CHUNK)):
            totals.update(publisher.publish(some))
            publisher.publish((record for _ in range(TIMES) for record in some), MANY)
        self.counts[""], self.counts[MANY] = dict(totals), {cell: n * TIMES for cell, n in totals.items()}

    async def _make_topics(self) -> None:
        password = self.servers.words["kafka"]["admin"]
        login: dict[str, Any] = {
            "bootstrap.servers": self.servers.broker.address,
            "security.protocol": "SASL_PLAINTEXT",
        }
        login |= {"sasl.mechanism": "SCRAM-SHA-512", "sasl.username": "admin", "sasl.password": password}
        admin = AdminClient(login)
        config = {"compression.type": "lz4"}
        wanted = [
            NewTopic(prefix + topic.name, PARTITIONS, 1, config=config)
            for topic in EVENT_TOPICS.values()
            for prefix in (TENTH, MANY)
        ]
        for future in admin.create_topics(wanted).values():
            await asyncio.to_thread(future.result)

    async def count(
        self, variant: Variant, module: str, *part: str, prefix: str = "", peer: bool = False, **more: str
    ) -> None:
        """One round: has a process count the log into `bench.counts`, and notes figures and end state."""
        if variant.failed:
            return
        try:
            python = self.peers if peer else Path(sys.executable)
        except environment.Unavailable as why:
            variant.failed = f"could not be installed: {why}"
            return
        expected = self.counts[prefix]
        events = sum(expected.values())
        connection = await asyncpg.connect(self.servers.admin_dsn)
        try:
            await connection.execute(DDL)
            before = costs.cpu_seconds(self.postgres)
            told = await self.process([python, "-m", module, *part], {**self.told(events, prefix), **more})
            spent = costs.Reading(told["seconds"], told["cpu"], costs.cpu_seconds(self.postgres) - before)
            variant.note(costs.figures(events, spent))
            held = told.get("counts") or await connection.fetch("SELECT * FROM bench.counts")
            found = {(partition, kind, dimension): n for partition, kind, dimension, n in held}
            variant.states.append("as expected" if found == expected else found)
        except Broke as why:
            variant.failed = str(why)
        finally:
            await connection.close()

    async def process(self, command: Sequence[str | Path], told: Mapping[str, str]) -> dict[str, Any]:
        """Runs it until it tells on one line that it is done. Raises Broke."""
        libc = ctypes.CDLL(None)
        process = await asyncio.create_subprocess_exec(
            *command,
            cwd=ROOT,
            env=os.environ | told,
            stdin=DEVNULL,
            stdout=PIPE,
            stderr=PIPE,
            limit=1 << 24,
            preexec_fn=lambda: libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL),
        )
        assert process.stdout is not None
        assert process.stderr is not None
        errors = asyncio.create_task(process.stderr.read())
        try:
            line = await asyncio.wait_for(process.stdout.readline(), SECONDS)
            if line:
                found: dict[str, Any] = json.loads(line)
                return found
            said = (await errors).decode(errors="replace").split("\n")
            raise Broke(next((one.strip() for one in reversed(said) if one.strip()), "it ended without a word"))
        except TimeoutError:
            raise Broke(f"not done after {SECONDS} s") from None
        finally:
            if process.returncode is None:
                process.kill()
            await process.wait()
            errors.cancel()

    def told(self, events: int, prefix: str = "") -> Mapping[str, str]:
        """The environment of a variant's process (peers/job.py, Told)."""
        names = ",".join(prefix + topic.name for topic in EVENT_TOPICS.values())
        return {
            "PYTHONPATH": str(ROOT),
            "PYTHONWARNINGS": "ignore",
            "BENCH_EVENTS": str(events),
            "BENCH_TOPICS": names,
            "BENCH_DSN": self.servers.admin_dsn,
            "BENCH_KAFKA": self.servers.broker.address,
            "BENCH_USER": "admin",
            "BENCH_PASSWORD": self.servers.words["kafka"]["admin"],
            "BENCH_GROUP": f"projections-bench-{secrets.token_hex(4)}",
        }
