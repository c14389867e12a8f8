"""Waits until every process says on /readyz that it can do its work, or finds out why one does not."""

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Coroutine, Sequence, Set
from pathlib import Path
from typing import Any

import httpx

from deploy.local.home import Home
from deploy.local.lines import Lines
from deploy.local.programs import Program
from deploy.local.trouble import Trouble, full_disk, has_room

SECONDS = 120
"""A projection that catches up with a long log becomes ready late; a process that dies is noticed much sooner."""
DEATHS = 4
PAUSE = 0.2
LONGEST_LINE = 2048

States = Callable[[], dict[str, dict[str, Any]]]


async def await_all(home: Home, programs: Sequence[Program], states: States, lines: Lines) -> None:
    """Answers when all are ready. Raises Trouble with the end of the log of the first that cannot be."""
    for program in programs:
        lines.begin(program.name, "starting")
    async with httpx.AsyncClient(timeout=5) as client:

        async def all_ready() -> None:
            await asyncio.gather(*(_await_one(client, home, program, lines) for program in programs))

        await unless_dying(home, {program.name for program in programs}, states, all_ready())


async def unless_dying(home: Home, names: Set[str], states: States, work: Coroutine[Any, Any, None]) -> None:
    """Does the work, but raises Trouble as soon as one of the processes turns out to die again and again."""
    working, watching = asyncio.create_task(work), asyncio.create_task(_watch_deaths(home, names, states))
    try:
        await asyncio.wait((working, watching), return_when=asyncio.FIRST_COMPLETED)
        for task in (watching, working):
            if task.done():
                await task
                return
    finally:
        working.cancel()
        watching.cancel()


async def until_ready(home: Home, name: str, ready: Callable[[], Awaitable[bool]], seconds: int) -> None:
    """Asks again and again until it is so. Raises Trouble after that time."""
    try:
        async with asyncio.timeout(seconds):
            while not await ready():  # noqa: ASYNC110  (another process tells of no event)
                await asyncio.sleep(PAUSE)
    except TimeoutError:
        raise unhealthy(home, name, f"is not ready after {seconds} s", f"ยังไม่พร้อมภายใน {seconds} วินาที") from None


async def _await_one(client: httpx.AsyncClient, home: Home, program: Program, lines: Lines) -> None:
    await until_ready(home, program.name, lambda: is_ready(client, program), SECONDS)
    lines.done(program.name, program.url)


async def is_ready(client: httpx.AsyncClient, program: Program) -> bool:
    try:
        return (await client.get(f"{program.url}/readyz")).is_success
    except httpx.HTTPError:
        return False


async def _watch_deaths(home: Home, names: Set[str], states: States) -> None:
    """Raises Trouble when a process was started DEATHS times and died again; never answers otherwise."""
    seen: dict[str, set[int]] = defaultdict(set)
    while True:
        for name, state in (await asyncio.to_thread(states)).items():
            seen[name].add(state["pid"])
            if name in names and len(seen[name] - {0}) >= DEATHS:
                raise unhealthy(home, name, "dies again and again", "หยุดทำงานซ้ำ ๆ")
        await asyncio.sleep(PAUSE)


def unhealthy(home: Home, name: str, en: str, th: str) -> Trouble:
    """Trouble that ends with the log as it is now; on a full disk there may be none, and it is the disk's."""
    if not has_room(home.root):
        return full_disk()
    log = home.log(name)
    return Trouble(
        f"{name} {en}. Its last words are above, the rest in {log}; run the same command again once that is mended.",
        f"{name} {th} ข้อความล่าสุดอยู่ด้านบน รายละเอียดอยู่ใน {log} แก้ไขแล้วสั่งคำสั่งเดิมอีกครั้ง",
        details=tail(log),
    )


def tail(log: Path, lines: int = 15) -> str:
    """The last lines of a log; empty when there is none."""
    try:
        with log.open("rb") as file:
            file.seek(max(0, log.stat().st_size - lines * LONGEST_LINE))
            return b"\n".join(file.read().splitlines()[-lines:]).decode(errors="replace")
    except FileNotFoundError:
        return ""
