"""Who waits for what they wrote: told together, by one look at a time."""

import asyncio
from typing import Any, cast

import asyncpg
import pytest

from services.gateway import arrivals
from services.gateway.arrivals import Arrivals
from shared.errors import Rejected
from shared.runtime.wake import Wake


class Pool:
    """Holds each stream at version 1 from the look on that `there` names."""

    def __init__(self, there: int) -> None:
        self.looks: list[list[str]] = []
        self._there = there

    async def fetch(self, _: str, streams: list[str]) -> list[tuple[str, int]]:
        self.looks.append(streams)
        if len(self.looks) == self._there:
            raise asyncpg.ConnectionDoesNotExistError
        return [(stream, 1) for stream in streams if len(self.looks) > self._there]


def made(there: int) -> tuple[Any, Arrivals]:
    pool: Any = Pool(there)
    return pool, Arrivals(pool, Wake())


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(arrivals, "LOOK_SECONDS", 0.0)


async def test_what_is_there_takes_one_look_and_nothing_takes_none():
    pool, waiting = made(0)
    await waiting.of({})
    await waiting.of({"a": 1, "b": 1})
    assert [sorted(look) for look in pool.looks] == [["a", "b"]]


async def test_however_many_wait_each_look_asks_for_all_of_them():
    pool, waiting = made(20)
    told = await asyncio.gather(*(waiting.of({str(n): 1}) for n in range(18)), return_exceptions=True)
    assert [type(one) for one in told] == [asyncpg.ConnectionDoesNotExistError] * 18
    assert list(map(len, pool.looks)) == [18] * 20
    await waiting.of({"a": 1})
    looks = len(pool.looks)
    await asyncio.sleep(0.01)
    assert len(pool.looks) == looks, "nobody waits, nothing is asked"


async def test_a_poke_is_a_look_and_without_one_there_is_none_for_long(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(arrivals, "LOOK_SECONDS", 3600.0)
    pool, wake = cast(Any, Pool(10**9)), Wake()
    waiting = asyncio.create_task(Arrivals(pool, wake).of({"a": 1}))
    for looks in range(1, 5):
        while len(pool.looks) < looks:
            await asyncio.sleep(0)
        pool._there = 10**9 if looks < 4 else 0
        wake.poke()
    await waiting
    assert len(pool.looks) == 5


async def test_who_comes_later_is_told_too_and_who_goes_is_asked_for_no_more():
    pool, waiting = made(0)
    pool._there = 10**9
    gone = asyncio.create_task(waiting.of({"gone": 1}))
    stays = asyncio.create_task(waiting.of({"stays": 1}))
    while len(pool.looks) < 4:
        await asyncio.sleep(0)
    gone.cancel()
    await asyncio.wait([gone])
    pool._there = 0
    await stays
    assert pool.looks[-1] == ["stays"]


async def test_nobody_waits_for_ever(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(arrivals, "WAIT_SECONDS", 0.02)
    _, waiting = made(10**9)
    with pytest.raises(Rejected, match="not_yet_visible"):
        await waiting.of({"a": 1})
