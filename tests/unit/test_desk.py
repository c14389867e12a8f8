"""Which commands share a batch."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import date

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
SUBMISSION = Submission(COMMAND, Origin("example-office", "ac-test", "c-1"), Role.AGENCY, b"", "")


class Desk(desk.Desk):
    """Tells how many each batch had; decides at once."""

    def __init__(self) -> None:
        super().__init__(None, None, lambda: None)  # type: ignore[arg-type]
        self.sizes: list[int] = []

    async def _decide(self, submissions: Sequence[Submission]) -> list[Outcome]:
        self.sizes.append(len(submissions))
        await asyncio.sleep(0)
        return [Answer(b"{}", "") for _ in submissions]

    async def send(self, times: int, turns: int) -> None:
        """As one who sends again so many turns of the loop after each answer."""
        for _ in range(times):
            await self.submit([SUBMISSION], iter(()))
            for _ in range(turns):
                await asyncio.sleep(0)


@asynccontextmanager
async def serving() -> AsyncIterator[Desk]:
    made = Desk()
    task = asyncio.create_task(made.run())
    try:
        yield made
    finally:
        task.cancel()


async def test_who_was_answered_together_is_decided_together_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(desk, "PAUSE", NEVER)
    monkeypatch.setattr(desk, "LONGEST", NEVER)
    async with serving() as made:
        await asyncio.gather(*(made.send(5, turns) for turns in (0, 3, 7, 20)))
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
        await made.submit([SUBMISSION] * desk.MOST, iter(()))
        await made.send(2, 0)
        assert made.sizes == [desk.MOST, 1, 1]


async def test_many_at_once_are_decided_in_batches_of_the_most() -> None:
    async with serving() as made:
        await made.submit([SUBMISSION] * (2 * desk.MOST + 1), iter(()))
        assert made.sizes == [desk.MOST, desk.MOST, 1]
