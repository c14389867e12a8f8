"""What carries the relays and the followers: sessions, readiness, waking, fewer words, and fail points."""

import asyncio
import logging
import os
import signal
import socket
import subprocess
import sys

import pytest
from aiokafka.errors import KafkaConnectionError

from shared.eventstore import publisher
from shared.runtime import consumer, wake, worker
from shared.runtime.hush import REMEMBERED, Hush
from shared.runtime.poke import Poker
from shared.runtime.settings import Settings
from shared.runtime.worker import NotWorking, Pulse


def test_it_is_ready_while_it_beats(monkeypatch):
    async def look() -> None:
        pulse = Pulse()
        with pytest.raises(NotWorking):
            await pulse.ready()
        pulse.beat("standby")
        assert await pulse.ready() == {"state": "standby"}
        monkeypatch.setattr(worker, "SILENCE", -1)
        with pytest.raises(NotWorking):
            await pulse.ready()

    asyncio.run(look())


def test_what_passes_begins_another_session_and_anything_else_ends_the_work(monkeypatch):
    monkeypatch.setattr(worker, "SHORTEST_PAUSE", 0)
    failures = iter([KafkaConnectionError(), OSError(), TimeoutError(), KeyError("a fault of ours")])

    async def session(_: Pulse) -> None:
        raise next(failures)

    with pytest.raises(KeyError):
        asyncio.run(worker._sessions(session, Pulse()))
    assert list(failures) == []


def test_work_that_a_library_cancels_ends_the_process():
    code = """
import asyncio
from shared.runtime.worker import going_on
async def work(): raise asyncio.CancelledError
async def serve():
    async with going_on(work()): await asyncio.sleep(60)
asyncio.run(serve())"""
    done = subprocess.run([sys.executable, "-c", code], check=False, capture_output=True)
    assert done.returncode == worker.EXIT_CODE


def test_a_consumer_whose_fetches_are_cancelled_as_it_stops_cancels_nobody_else():
    closed = []

    class Client:
        async def close(self) -> None:
            closed.append("client")

    class Consumer:
        _client = Client()

        async def stop(self) -> None:
            raise asyncio.CancelledError

    asyncio.run(consumer.close(Consumer()))
    assert closed == ["client"]


def test_a_poke_ends_the_wait_and_is_not_lost_between_waits():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as free:
        free.bind(("127.0.0.1", 0))
        address = free.getsockname()

    async def look() -> None:
        async with wake.listening(Settings(poke=f"127.0.0.1:{address[1]}")) as woken:
            with Poker(Settings(poke=f"127.0.0.1:{address[1]}")) as poke:
                poke()
                assert poke._socket.getsockname()[0] == "127.0.0.1"  # open to no other network
                await asyncio.sleep(0.05)
                async with asyncio.timeout(1):
                    await woken.wait(60)
            begun = asyncio.get_running_loop().time()
            await woken.wait(0.05)
            assert asyncio.get_running_loop().time() - begun >= 0.04

    asyncio.run(look())


def test_an_address_that_is_taken_only_makes_it_slower():
    async def look(port: int) -> None:
        async with wake.listening(Settings(poke=f"127.0.0.1:{port}")) as woken:
            await woken.wait(0.01)

    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
        other.bind(("127.0.0.1", 0))
        asyncio.run(look(other.getsockname()[1]))


def test_the_library_says_a_thing_once_in_a_while_and_we_always():
    hush = Hush()

    def said(name: str, sentence: str, *about: object) -> bool:
        return hush.filter(logging.LogRecord(name, logging.ERROR, "", 0, sentence, about, None))

    assert said("aiokafka.client", "Unable to connect to %s", 1)
    assert not said("aiokafka.client", "Unable to connect to %s", 2)
    assert said("aiokafka.client", "something else")
    assert said("shared.eventstore.relay", "again")
    assert said("shared.eventstore.relay", "again")
    for number in range(2 * REMEMBERED):
        assert said("aiokafka.client", f"a sentence with a number in it: {number}")
    assert len(hush._said) == REMEMBERED
    assert not said("aiokafka.client", f"a sentence with a number in it: {number}")


def run(plan: str, code: str) -> int:
    command = f"from shared.runtime.failpoint import failpoint\n{code}"
    env = os.environ | {"SIAO_FAILPOINTS": plan}
    return subprocess.run([sys.executable, "-c", command], env=env, check=False, capture_output=True).returncode


def test_fail_points_follow_their_plan():
    hit = "failpoint('relay.before_send')"
    assert run("", hit) == 0
    assert run("1:relay.before_send=1", hit) == -signal.SIGKILL
    assert run("1:relay.after_send=1", hit) == 0
    assert run("1:relay.no_such_point=1", hit) == 1
    often = "for n in range(100):\n    print(n, flush=True); failpoint('relay.before_send')"
    assert run("5:relay.before_send=0.1", often) == -signal.SIGKILL
    assert run("0:relay.before_send@2=exit", hit) == 0
    assert run("0:relay.before_send@2=exit", f"{hit}; {hit}") == -signal.SIGKILL
    slept = f"import time; begun = time.monotonic(); {hit}; raise SystemExit(time.monotonic() - begun >= 0.2)"
    assert run("0:relay.before_send@1=0.2", slept) == 1
    assert run("0:relay.before_send@3=0.2", slept) == 0


def test_a_producer_that_gets_nothing_away_ends_the_process(monkeypatch):
    monkeypatch.setattr(publisher, "STALLED_SECONDS", 0.01)
    with pytest.raises(publisher.Stalled):
        asyncio.run(publisher._patiently(asyncio.sleep(5)))
    assert not issubclass(publisher.Stalled, worker.PASSING)
