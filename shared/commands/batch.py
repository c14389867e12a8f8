"""One transaction of commands: look up and lock, decide each, write all."""

from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from datetime import date
from functools import cache
from typing import Any, NamedTuple, Protocol, get_args

import asyncpg
from pydantic import BaseModel

from shared.commands import receipt
from shared.commands.reading import Submission
from shared.errors import Rejected
from shared.events.base import Event, Slug
from shared.eventstore import clock, receipts, store
from shared.runtime.failpoint import failpoint
from shared.runtime.settings import Clock
from shared.runtime.statement import Statement
from shared.thai import BANGKOK


class Answer(NamedTuple):
    """An accepted command: the receipt's bytes, and whether they were given before."""

    receipt: bytes
    versions: str
    """`stream@version,…` of what was appended; empty when it was so already."""
    repeated: bool = False


Outcome = Answer | Rejected


class Gathered(Protocol):
    """What a service looked up, and locked, for the commands of one transaction."""

    def decide(self, states: Sequence[Any], submission: Submission) -> Sequence[Event]:
        """Pure; `states` are those of the submission's streams. Raises Rejected."""
        ...

    def took(self, submission: Submission, event: Event, before: Any, after: Any) -> None:
        """Keeps what was looked up in step with an event that this transaction will append; its stream's states."""
        ...

    def flags(self, submission: Submission, events: Sequence[Event]) -> list[str]:
        """What the sender should look at again, though it was accepted."""
        ...

    async def save(self, statement: Statement) -> None:
        """Has the statement that appends write what belongs to the service beside its events."""
        ...


class Deciding(Protocol):
    """What a service brings to the desk."""

    service: str
    clock: Clock
    at_once: int
    """Batches that may be decided at the same time, of commands that are `apart`."""

    def streams(self, submission: Submission) -> Sequence[str]:
        """The streams that decide this command, that of its subject first; the same for the same submission."""
        ...

    def apart(self, submission: Submission) -> Iterable[Hashable]:
        """What two commands that are decided at the same time must not share: the streams, and whatever else one may
        change that decides the other, and no lock nor unique key guards."""
        ...

    def stream_of(self, event: Event) -> str:
        """The stream that an event belongs to, one of those that decided it."""
        ...

    def start(self, stream: str) -> Any: ...

    def evolve(self, state: Any, event: Any, agency: Slug) -> Any: ...

    async def gather(self, statement: Statement, submissions: Sequence[Submission]) -> Gathered:
        """Adds to `statement`, which locks the streams, what it has to look up beside, and reads it. Of submissions
        that were answered before nothing is decided."""
        ...


State = tuple[int, str, Any]
"""What a stream folds to, at which version, and the hash of that event."""
BLANK: State = (0, "", None)


class Kept(Protocol):
    def get(self, stream: str) -> State | None: ...

    def keep(self, stream: str, version: int, digest: str, state: object) -> None: ...


class Batch:
    """Lives for one transaction."""

    def __init__(self, connection: asyncpg.Connection, deciding: Deciding, kept: Kept) -> None:
        self._connection, self._deciding, self._kept = connection, deciding, kept
        self._streams: dict[str, Sequence[str]] = {}
        self._states: dict[str, Any] = {}
        self._heads: dict[str, store.Head] = {}
        self._records: list[store.Record] = []
        self._given: dict[tuple[str, str], receipts.Receipt] = {}
        self._remembered: Mapping[tuple[str, str], receipts.Receipt] = {}

    async def settle(self, submissions: Sequence[Submission]) -> list[Outcome]:
        """One outcome for each, in order. After it returns everything accepted is committed."""
        async with self._connection.transaction():
            outcomes = await self._settle(submissions)
            failpoint("command.before_commit")
        failpoint("command.after_commit")
        for stream, head in self._heads.items():
            if head.version:
                self._kept.keep(stream, head.version, head.hash, self._states[stream])
        return outcomes

    async def _settle(self, submissions: Sequence[Submission]) -> list[Outcome]:
        self._streams = {s.fresh: self._deciding.streams(s) for s in submissions}
        streams = sorted({stream for several in self._streams.values() for stream in several})
        statement = Statement(self._connection)
        receipts.look_up(statement, [s.key for s in submissions])
        store.lock(statement, streams)
        clock.look_up(statement, self._deciding.clock)
        gathered = await self._deciding.gather(statement, submissions)
        self._remembered = receipts.found(statement.told)
        self._heads = dict.fromkeys(streams, store.Head()) | store.locked(statement.told)
        await self._open()
        stamp = store.Stamp(self._deciding.service, clock.now(statement.told), self._deciding.clock)
        today = stamp.now.astimezone(BANGKOK).date()
        outcomes = [self._outcome(gathered, submission, stamp, today) for submission in submissions]
        await self._write(gathered)
        return outcomes

    async def _open(self) -> None:
        behind: dict[str, int] = {}
        for stream, head in self._heads.items():
            version, digest, state = self._kept.get(stream) or BLANK
            if not version or version > head.version or (version == head.version and digest != head.hash):
                version, state = 0, self._deciding.start(stream)  # or the store went back to a backup
            self._states[stream] = state
            if version < head.version:
                behind[stream] = version
        if behind:
            for stored in await store.load(self._connection, behind):
                state = self._states[stored.stream]
                self._states[stored.stream] = self._deciding.evolve(state, stored.event, stored.agency)

    def _outcome(self, gathered: Gathered, submission: Submission, stamp: store.Stamp, today: date) -> Outcome:
        try:
            if submission.key in self._remembered or submission.key in self._given:
                return self._repeat(submission)
            _refuse_future(submission, today)
            states = [self._states[stream] for stream in self._streams[submission.fresh]]
            events = gathered.decide(states, submission)
            return self._accept(gathered, submission, events, self._chain(events, submission, stamp))
        except Rejected as refusal:
            return refusal

    def _repeat(self, submission: Submission) -> Outcome:
        first = self._given.get(submission.key) or self._remembered[submission.key]
        try:
            answer = receipts.repeat(first, submission.digest)
        except Rejected as refusal:
            return refusal
        return Answer(answer, receipt.versions_in(answer), repeated=True)

    def _chain(self, events: Sequence[Event], submission: Submission, stamp: store.Stamp) -> list[store.Record]:
        records: list[store.Record] = []
        heads: dict[str, store.Head] = {}
        for event in events:
            stream = self._deciding.stream_of(event)
            made = store.record(stamp, stream, heads.get(stream) or self._heads[stream], event, submission.origin)
            records.append(made)
            heads[stream] = store.Head(made.version, made.hash, made.recorded_at)
        return records

    def _accept(
        self,
        gathered: Gathered,
        submission: Submission,
        events: Sequence[Event],
        records: Sequence[store.Record],
    ) -> Answer:
        for event, made in zip(events, records, strict=True):
            before = self._states[made.stream]
            after = self._deciding.evolve(before, event, submission.origin.agency)
            gathered.took(submission, event, before, after)
            self._states[made.stream] = after
            self._heads[made.stream] = store.Head(made.version, made.hash, made.recorded_at)
        self._records.extend(records)
        subject = self._streams[submission.fresh][0]
        versions = receipt.versions(records)
        answer = receipt.accepted(submission, subject, records, versions, gathered.flags(submission, events))
        self._given[submission.key] = receipts.Receipt(*submission.key, submission.digest, answer)
        return Answer(answer, versions)

    async def _write(self, gathered: Gathered) -> None:
        statement = Statement(self._connection)
        if self._records:
            store.append(statement, self._records, self._deciding.clock)
            await gathered.save(statement)
        if self._given:
            receipts.remember(statement, self._given.values())
        await statement.write()


def _refuse_future(submission: Submission, today: date) -> None:
    """No day that a command tells of has yet to come: not when it happened, was reported, or somebody was born."""
    for field, day in (("reported_on", submission.origin.reported_on), *_days(submission.command, "data")):
        if day is not None and day > today:
            raise Rejected("date_in_future", field=field, today=today)


def _days(message: BaseModel, at: str) -> Iterator[tuple[str, date]]:
    """Every day in a message, with the path of its field."""
    for name in _dated(type(message)):
        value = getattr(message, name)
        if isinstance(value, date):
            yield f"{at}.{name}", value
        elif isinstance(value, tuple):
            for i, each in enumerate(value):
                yield from _days(each, f"{at}.{name}.{i}")
        elif value is not None:
            yield from _days(value, f"{at}.{name}")


@cache
def _dated(kind: type[BaseModel]) -> Sequence[str]:
    """The fields of a message that may hold days, or messages with days. To find out anew each time what a value is
    takes longer than all else here."""
    return [name for name, field in kind.model_fields.items() if _holds_days(field.annotation)]


def _holds_days(annotation: Any) -> bool:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return bool(_dated(annotation))
    return annotation is date or any(map(_holds_days, get_args(annotation)))
