"""Which commands share a batch, and which batches are decided at the same time."""

import asyncio
import random
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import date
from itertools import count

import pytest

from shared.commands import desk
from shared.commands.batch import Answer, Outcome
from shared.commands.reading import Submission
from shared.events.codes import HouseholdClass
from shared.events.registry import ClassifyHousehold
from shared.eventstore.store import Origin
from shared.runtime.auth import Role

NEVER = 1_000.0
"""Seconds: nothing here waits so long."""
COMMAND = ClassifyHousehold(
    occurred_on=date(2019, 9, 20), household="hh_" + "0" * 20, household_class=HouseholdClass.WELFARE
)
ORIGIN = Origin("example-office", "ac-test", "")
NUMBERS = count()


def about(*streams: str) -> Submission:
    """Another one each time, about these."""
    origin = ORIGIN._replace(command_id=f"c-{next(NUMBERS)}")
    return Submission(COMMAND, origin, Role.AGENCY, b"", ",".join(streams))


class Deciding:
    at_once = 2

    def apart(self, submission: Submission) -> Sequence[str]:
        return [stream for stream in submission.fresh.split(",") if stream]


class Desk(desk.Desk):
    """Tells how many each batch had; decides at once, or when it is told to."""

    def __init__(self) -> None:
        super().__init__(None, Deciding(), lambda: None)  # type: ignore[arg-type]
        self.sizes: list[int] = []
        self.decided: list[str] = []
        self.in_hand: list[list[str]] = []
        """The commands of each batch that is being decided."""
        self.go_on = asyncio.Event()
        self.go_on.set()

    async def _decide(self, submissions: Sequence[Submission]) -> list[Outcome]:
        ids = [submission.origin.command_id for submission in submissions]
        self.sizes.append(len(ids))
        self.in_hand.append(ids)
        await asyncio.sleep(0)
        await self.go_on.wait()
        self.in_hand.remove(ids)
        self.decided += ids
        return [Answer(id_.encode(), "") for id_ in ids]

    async def send(self, times: int, between: int) -> None:
        """As one who sends again so many turns of the loop after each answer."""
        for _ in range(times):
            await self.submit([about()], iter(()))
            await turns(between)


def several(count: int) -> list[Submission]:
    return [about() for _ in range(count)]


async def turns(times: int) -> None:
    for _ in range(times):
        await asyncio.sleep(0)


@asynccontextmanager
async def serving(kind: type[Desk] = Desk) -> AsyncIterator[Desk]:
    made = kind()
    task = asyncio.create_task(made.run())
    try:
        yield made
    finally:
        task.cancel()


async def test_who_was_answered_together_is_decided_together_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(desk, "PAUSE", NEVER)
    monkeypatch.setattr(desk, "LONGEST", NEVER)
    async with serving() as made:
        await asyncio.gather(*(made.send(5, between) for between in (0, 3, 7, 20)))
        assert made.sizes == [4] * 5


async def test_who_sends_alone_waits_for_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(desk, "PAUSE", NEVER)
    monkeypatch.setattr(desk, "LONGEST", NEVER)
    async with serving() as made:
        await made.send(5, 20)
        assert made.sizes == [1] * 5


async def test_who_does_not_come_again_is_not_waited_for_long() -> None:
    async with serving() as made:
        await asyncio.gather(made.send(1, 0), made.send(1, 0))
        await made.send(2, 0)
        assert made.sizes == [2, 1, 1]


async def test_after_a_bulk_who_sends_a_little_is_not_held_until_there_is_as_much(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(desk, "PAUSE", NEVER)
    async with serving() as made, asyncio.timeout(60):
        await made.submit(several(desk.MOST), iter(()))
        await made.send(2, 0)
        assert made.sizes == [desk.MOST, 1, 1]


async def test_no_batch_has_more_than_the_most_and_no_request_is_divided() -> None:
    async with serving() as made:
        requests = [several(size) for size in (desk.MOST, 300, 150, 100, 450)]
        await asyncio.gather(*(made.submit(request, iter(())) for request in requests))
        assert made.sizes == [desk.MOST, 450, 100, 450]


async def test_a_request_without_commands_is_answered() -> None:
    async with serving() as made:
        assert await made.submit([], iter(())) == []


async def test_many_are_divided_among_batches_and_few_are_not() -> None:
    async with serving() as made:
        await asyncio.gather(*(made.send(3, 0) for _ in range(2 * desk.FEW)))
        assert made.sizes == [desk.FEW] * 6
    async with serving() as made:
        await asyncio.gather(*(made.send(3, 0) for _ in range(desk.FEW)))
        assert made.sizes == [desk.FEW] * 3


async def test_who_has_nothing_in_common_is_decided_at_the_same_time_and_else_in_turn() -> None:
    async with serving() as made:
        made.go_on.clear()
        sent = []
        for batch in ("one",), ("one", "two"), ("three",), ("two",), ("four",):
            submission = about(*batch)
            sent.append(asyncio.create_task(made.submit([submission], iter(()))))
            await turns(20)
        began = [ids for [ids] in made.in_hand]
        made.go_on.set()
        answers = [answer.receipt.decode() for [answer] in await asyncio.gather(*sent)]  # type: ignore[union-attr]
        assert began == [answers[0], answers[2]]
        assert sorted(made.decided, key=answers.index) == answers
        assert made.decided.index(answers[0]) < made.decided.index(answers[1]) < made.decided.index(answers[3])


async def test_whatever_is_sent_each_is_answered_once_and_nothing_in_common_is_ever_decided_at_once() -> None:
    draw, streams, busy = random.Random(7), [f"s{n}" for n in range(12)], Counter[str]()
    sent = [
        [about(*draw.sample(streams, draw.choice((1, 1, 2)))) for _ in range(draw.choice((1, 3)))] for _ in range(400)
    ]
    of = {one.origin.command_id: one.fresh.split(",") for request in sent for one in request}

    class Watched(Desk):
        async def _decide(self, submissions: Sequence[Submission]) -> list[Outcome]:
            mine = {stream for one in submissions for stream in one.fresh.split(",")}
            busy.update(mine)
            assert set(busy.values()) <= {0, 1}
            try:
                return await super()._decide(submissions)
            finally:
                busy.subtract(mine)

    async with serving(Watched) as made:

        async def send(request: list[Submission], after: int) -> None:
            await turns(after)
            answers = await made.submit(request, iter(()))
            assert [a.receipt.decode() for a in answers] == [one.origin.command_id for one in request]  # type: ignore[union-attr]

        await asyncio.gather(*(send(request, n // 3) for n, request in enumerate(sent)))
        assert sorted(made.decided) == sorted(of)
        for stream in streams:
            mine = [id_ for id_ in of if stream in of[id_]]
            assert [id_ for id_ in made.decided if id_ in mine] == mine
