"""Does what a plan says."""

import asyncio
import random
import signal
from collections.abc import Coroutine
from datetime import timedelta

from aiokafka import ConsumerRecord
from aiokafka.errors import KafkaError

from shared.events.topics import EVENT_TOPICS, Topic
from tests.support import moved_clock, topic
from tests.support.damage import lose_tail
from tests.support.rebuilding import Command
from tests.support.seeded import poison
from tests.support.seeded.plan import Act, Plan
from tests.support.servers import Servers
from tests.support.stack import Stack

SIGTERM_SECONDS = 20.0
PATIENCE = 30.0
AT_ONCE = 40
"""Records that are put into a topic again, or poisonous ones, at most."""


class Chaos:
    def __init__(self, servers: Servers, stack: Stack, plan: Plan) -> None:
        self._servers, self._stack, self._plan = servers, stack, plan
        self._later: set[asyncio.Task[None]] = set()
        self.put: list[poison.Put] = []
        self.slow: list[str] = []
        """Processes that did not end when told to."""
        self.rebuilds: list[tuple[int, str]] = []

    async def run(self) -> None:
        """Every act at its time or, after a long one, later. Returns when all have ended."""
        begun = asyncio.get_running_loop().time()
        for number, act in enumerate(self._plan.acts):
            await asyncio.sleep(begun + act.at - asyncio.get_running_loop().time())
            await self._do(act, random.Random(f"{self._plan.seed} {number}"))
        await asyncio.gather(*self._later)

    async def _do(self, act: Act, draw: random.Random) -> None:
        match act.what:
            case "kill -9":
                await self._stack.processes[act.whom].end(signal.SIGKILL)
            case "SIGTERM":
                self._meanwhile(self._terminate(act.whom))
            case "SIGSTOP":
                self._meanwhile(self._hold(act.whom, act.seconds))
            case "rebuild":
                self._meanwhile(self._rebuild(act.whom))
            case "poison":
                await self._patiently(self._poison(act.whom, draw))
            case "redelivery":
                await self._patiently(self._again(act.whom, draw))
            case _:
                await self._to_a_server(act, draw)

    async def _to_a_server(self, act: Act, draw: random.Random) -> None:
        match act.what:
            case "postgres stops at once":
                await self._servers.restart_postgres()
            case "kafka is killed":
                await self._servers.kill_kafka()
                await self._servers.start_kafka()
            case "kafka restarts":
                await self._servers.restart_kafka()
            case "clock is set":
                await moved_clock.move(self._servers.admin_dsn, act.whom, timedelta(seconds=act.seconds))
            case "kafka loses its tail":
                await lose_tail(self._servers, act.whom, draw)

    def _meanwhile(self, work: Coroutine[None, None, None]) -> None:
        self._later.add(asyncio.create_task(work))

    async def _patiently(self, work: Coroutine[None, None, None]) -> None:
        try:
            async with asyncio.timeout(PATIENCE):
                await work
        except (KafkaError, TimeoutError):
            pass  # the broker is away: then none of it comes

    async def _hold(self, name: str, seconds: float) -> None:
        process = self._stack.processes[name]
        process.send(signal.SIGSTOP)
        await asyncio.sleep(seconds)
        process.send(signal.SIGCONT)

    async def _terminate(self, name: str) -> None:
        try:
            async with asyncio.timeout(SIGTERM_SECONDS):
                await self._stack.processes[name].end(signal.SIGTERM)
        except TimeoutError:
            self.slow.append(name)

    async def _rebuild(self, killed_at: str) -> None:
        points = f"0:{killed_at}" if killed_at else ""
        self.rebuilds.append(await Command(self._servers, "--processes", "1", SIAO_FAILPOINTS=points).end())

    async def _sound(self, name: str) -> list[ConsumerRecord]:
        return [record async for record in topic.records(self._servers, _topic(name))]

    async def _poison(self, name: str, draw: random.Random) -> None:
        sound = [poison.of_consumed(record) for record in await self._sound(name)]
        sound = [record for record in sound if poison.is_sound(record)]
        self.put += await poison.put(self._servers, poison.chosen(draw, sound, draw.randint(3, 12)))

    async def _again(self, name: str, draw: random.Random) -> None:
        """The same records at the end again, each partition's in their order, as a relay does that cannot know."""
        held = [poison.of_consumed(record) for record in await self._sound(name)]
        number = draw.choice(sorted({record.partition for record in held}) or [0])
        some = [record for record in held if record.partition == number and poison.is_sound(record)]
        await poison.put(self._servers, [("again", record) for record in some[-AT_ONCE:]])


def _topic(name: str) -> Topic:
    return next(topic for topic in EVENT_TOPICS.values() if topic.name == name)
