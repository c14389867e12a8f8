"""Publishes the province as its agencies would: month by month on the simulated clock, each with its own token.

Every command has the same id in every run, so a second run repeats and records nothing twice. The very last command
is sent when all others are in: that it was accepted before says that everything was.
"""

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import groupby
from typing import Any, TypeVar

from services.demo.agencies import SECRETARIAT
from services.demo.client import Again, Gateway, Stopped, told
from services.demo.entries import Entry
from services.demo.progress import Progress
from shared.events.catalog import SERVICES

_T = TypeVar("_T")

LINES = 500
"""Commands in one request."""
STREAMS_ASKED = 100
"""Streams in one Siao-After: as many as the gateway takes."""


@dataclass(frozen=True)
class Parcel:
    """Commands of one agency to one service, at one moment of the simulated clock."""

    sent_at: datetime
    service: str
    agency: str
    entries: tuple[Entry, ...]


@dataclass
class Outcome:
    """What the receipts said."""

    sent: int = 0
    recorded: int = 0
    """Not counting what was accepted in an earlier run."""
    versions: dict[str, int] = field(default_factory=dict)
    """Stream -> the last version that one of these commands made."""

    def note(self, answer: dict[str, Any]) -> None:
        self.sent += 1
        self.recorded += not answer["repeated"]
        for each in filter(None, answer["receipt"]["stream_versions"].split(",")):
            stream, _, version = each.rpartition("@")
            self.versions[stream] = max(int(version), self.versions.get(stream, 0))


async def is_published(gateway: Gateway, entries: Sequence[Entry]) -> bool:
    """Whether an earlier run came to its end."""
    last = entries[-1]
    return await gateway.repeated(last.service, last.agency, last.line)


async def publish(gateway: Gateway, entries: Sequence[Entry], progress: Progress) -> Outcome:
    """Sends everything, a month only when the one before is in. Raises Stopped at the first refusal."""
    outcome = Outcome()
    try:
        for step in steps(entries):
            progress.begin(step[0].sent_at)
            await _move_clocks(gateway, step[0].sent_at)
            async with asyncio.TaskGroup() as group:
                for parcel in step:
                    group.create_task(_deliver(gateway, parcel, outcome, progress))
    except* Stopped as refused:
        raise refused.exceptions[0] from None
    return outcome


async def settled(gateway: Gateway, outcome: Outcome) -> None:
    """Returns when the figures hold everything that was published. Raises Stopped when they do not come to."""
    stands = [f"{stream}@{version}" for stream, version in outcome.versions.items()]
    for some in _chunks(stands, STREAMS_ASKED):
        await gateway.get("/v1/coverage", level="province", after=",".join(some))


def steps(entries: Sequence[Entry]) -> Iterator[list[Parcel]]:
    """What may be sent at the same time: one moment's commands, and the last command of all by itself."""
    for _, together in groupby(entries[:-1], key=lambda entry: entry.sent_at):
        yield list(_parcels(list(together)))
    yield list(_parcels(entries[-1:]))


def _parcels(entries: Sequence[Entry]) -> Iterator[Parcel]:
    def sender(entry: Entry) -> tuple[str, str]:
        return entry.service, entry.agency

    for (service, agency), own in groupby(sorted(entries, key=sender), key=sender):
        for some in _chunks(list(own), LINES):
            yield Parcel(entries[0].sent_at, service, agency, tuple(some))


def _chunks(things: Sequence[_T], most: int) -> Iterator[Sequence[_T]]:
    for first in range(0, len(things), most):
        yield things[first : first + most]


async def _move_clocks(gateway: Gateway, moment: datetime) -> None:
    """Of every service, also where nothing is sent to it that month: figures are final up to the slowest of them."""
    for service in SERVICES:
        async for attempt in gateway.patiently():
            with attempt:
                await gateway.bulk(service, SECRETARIAT, moment.isoformat(), [])


async def _deliver(gateway: Gateway, parcel: Parcel, outcome: Outcome, progress: Progress) -> None:
    """Sends a parcel until each of its commands is in: what may pass is sent again, the rest of it is not."""
    left: Sequence[Entry] = parcel.entries
    async for attempt in gateway.patiently():
        with attempt:
            answers = await gateway.bulk(
                parcel.service, parcel.agency, parcel.sent_at.isoformat(), [entry.line for entry in left]
            )
            accepted, left, why = _sort(left, answers)
            for answer in accepted:
                outcome.note(answer)
            progress.advance(len(accepted))
            if left:
                raise Again(f"{len(left)} commands of {parcel.agency} to {parcel.service} wait: {why}")


def _sort(entries: Sequence[Entry], answers: Sequence[dict[str, Any]]) -> tuple[list[dict[str, Any]], list[Entry], str]:
    """What was accepted, what is to be sent again, and why. Raises Stopped for what is refused for good."""
    accepted, left = [], list(entries[len(answers) :])
    why = "the answer broke off"
    for entry, answer in zip(entries, answers, strict=False):
        if "receipt" in answer:
            accepted.append(answer)
            continue
        problem = answer["problem"]
        why = told(problem)
        if not problem["retryable"]:
            raise Stopped(f"{entry.agency} {entry.command['id']} {entry.command['type']}: {why}")
        left.append(entry)
    return accepted, left, why
