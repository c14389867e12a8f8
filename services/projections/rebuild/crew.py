"""The processes that fold, each its share of the partition numbers."""

import asyncio
import os
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path

import msgspec

from services.projections.rebuild.folder import REWRITTEN, Job
from services.projections.rebuild.refusal import Refused, Restart
from services.projections.rebuild.tally import Tally
from services.projections.rebuild.targets import Targets
from shared.runtime.settings import Settings

ROOT = Path(__file__).parents[3]
_LINES = msgspec.json.Decoder(Tally | None)

Told = Callable[[Tally], None]


class Crew:
    def __init__(self, processes: Sequence[Process], told: Told) -> None:
        self._processes, self._told = processes, told

    async def fold(self, wanted: Targets, *, load: bool = False) -> None:
        """To exactly these offsets; `load`: into tables that are empty.

        Raises Refused when a process ended, Restart when the log was rewritten."""
        count = len(self._processes)
        shares = [Job({n: o for n, o in wanted.items() if n % count == i}, load) for i in range(count)]
        await asyncio.gather(*map(self._have_folded, self._processes, shares))

    async def _have_folded(self, process: Process, share: Job) -> None:
        assert process.stdin is not None  # noqa: S101 they are pipes
        assert process.stdout is not None  # noqa: S101
        try:
            process.stdin.write(msgspec.json.encode(share) + b"\n")
            await process.stdin.drain()
        except ConnectionError:
            pass  # it has ended; its output ends too, and says so below
        while line := await process.stdout.readline():
            tally = _LINES.decode(line)
            if tally is None:
                return
            self._told(tally)
        if await process.wait() == REWRITTEN:
            raise Restart
        raise Refused(
            f"A folding process ended with code {process.returncode}, for the reason above: run the same command again "
            "and it goes on from there; what is live stays as it is.",
            "กระบวนการสร้างใหม่หยุดลงด้วยเหตุข้างต้น โปรดสั่งคำสั่งเดิมอีกครั้ง ข้อมูลที่ใช้งานอยู่ไม่เปลี่ยนแปลง",
        )


@asynccontextmanager
async def working(
    settings: Settings, schema: str, processes: int, told: Told, *, known_at: datetime | None = None
) -> AsyncIterator[Crew]:
    """`told` hears of every transaction. All of them are gone at the end of the block."""
    command = [sys.executable, "-m", "services.projections", "fold", schema]
    command += [known_at.isoformat()] if known_at else []
    started: list[Process] = []
    try:
        for _ in range(processes):
            started.append(  # noqa: PERF401 those that were started must end, whatever comes
                await asyncio.create_subprocess_exec(
                    *command, stdin=PIPE, stdout=PIPE, cwd=ROOT, env=_environment(settings)
                )
            )
        yield Crew(started, told)
    finally:
        for process in started:
            if process.returncode is None:
                process.kill()
            await process.wait()


def _environment(settings: Settings) -> dict[str, str]:
    """No more of the launcher's than it needs; passwords stand in no command line."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("SIAO_")}
    return inherited | {
        "SIAO_DATABASE": settings.database.get_secret_value(),
        "SIAO_KAFKA": settings.kafka,
        "SIAO_KAFKA_USER": settings.kafka_user,
        "SIAO_KAFKA_PASSWORD": settings.kafka_password.get_secret_value(),
    }
