"""After a run: every promise by its name, and whether it was kept. No other place decides that a run was good."""

import json
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

import asyncpg
from aiokafka import ConsumerRecord

from services.projections.rebuild import run as rebuild
from shared.events import envelope
from shared.events.catalog import SERVICES
from shared.events.topics import EVENT_TOPICS, FOLLOWERS, partition_of
from tests.support import checker, following, rebuilding, topic
from tests.support.checker import Event
from tests.support.log import Record, told
from tests.support.seeded import fold, poison, watch
from tests.support.seeded.chaos import Chaos
from tests.support.seeded.load import Told
from tests.support.seeded.watch import Look, Watch
from tests.support.servers import Servers

Report = Mapping[str, str]
"""Promise -> what broke it; empty where it was kept."""


@dataclass(frozen=True)
class Ran:
    """What is known of a run from outside."""

    servers: Servers
    told: Told
    watch: Watch
    chaos: Chaos
    lossy: bool
    """Whether a broker lost the end of its log."""


async def report(ran: Ran) -> Report:
    """Every promise is looked at, also behind one that was broken."""
    events = await checker.stored_events(ran.servers)
    return {name: await _broken(kept, ran, events) for name, kept in PROMISES.items()}


async def _broken(kept: "Kept", ran: Ran, events: Sequence[Event]) -> str:
    try:
        await kept(ran, events)
    except Exception as error:
        return f"{type(error).__name__}: {error}"[:600] or "broken"
    return ""


async def acknowledged(ran: Ran, events: Sequence[Event]) -> None:
    """By every answer that somebody got: its events are stored as it says, and it was always the same."""
    assert not ran.told.contradictions, f"{len(ran.told.contradictions)} commands got two different receipts"
    stored = {event.id: (event.stream, event.version, event.type) for event in events}
    for receipt in ran.told.receipts.values():
        for event in receipt["events"]:
            is_there = stored.get(event["id"])
            assert is_there == (event["stream"], event["version"], event["type"]), f"{receipt['receipt']}: {is_there}"
    kept = {command for _, command in map(_command, events)} & ran.told.refused.keys()
    assert not kept, f"{len(kept)} commands were refused, and are stored"


async def wholly(ran: Ran, events: Sequence[Event]) -> None:
    """By every receipt in the stores: of each command all events are there, or none, and nobody else's."""
    named = {(e.service, e.id): _command(e) for e in events}
    async with _admin(ran.servers) as connection:
        for service in SERVICES:
            mine = {event: command for (of, event), command in named.items() if of == service}
            for agency, command, answer in await connection.fetch(
                f"SELECT agency, command_id, answer FROM {service}.receipt"
            ):
                for event in json.loads(answer)["events"]:
                    assert mine.pop(event["id"], None) == (agency, command), f"{command}: an event is missing"
            assert not mine, f"{len(mine)} events of {service} belong to no receipt"


async def versions(_: Ran, events: Sequence[Event]) -> None:
    for stream, some in _streams(events).items():
        assert [e.version for e in some] == [*range(1, len(some) + 1)], f"{stream} has gaps"


async def times(_: Ran, events: Sequence[Event]) -> None:
    for stream, some in _streams(events).items():
        moments = [e.recorded_at for e in some]
        assert moments == sorted(moments), f"{stream}: recorded_at went back"


async def chain(_: Ran, events: Sequence[Event]) -> None:
    for stream, some in _streams(events).items():
        before = envelope.GENESIS
        for e in some:
            assert dict(envelope.split(e.headers))["ce_prevhash"] == before, (
                f"{stream}@{e.version}: another predecessor"
            )
            assert e.hash == envelope.chain_hash(e.headers, e.value), f"{stream}@{e.version} was altered"
            before = e.hash


async def in_the_log(ran: Ran, events: Sequence[Event]) -> None:
    """Byte for byte, each stream in its order; besides nothing that is sound, and what is not is poison of ours.

    Where a broker lost its tail, a version may come too early as well, and then once more in its turn (restore.py).
    """
    poisonous = len(ran.chaos.put)
    for service in SERVICES:
        mine = {_place(e): e for e in events if e.service == service}
        reached: dict[str, int] = defaultdict(int)
        async for record in topic.records(ran.servers, EVENT_TOPICS[service]):
            stored = _stored(record, mine)
            if stored is None:
                poisonous -= 1
                continue
            in_order = stored.version <= reached[stored.stream] + 1
            assert in_order or ran.lossy, f"{stored.stream}@{stored.version} overtook"
            if in_order:
                reached[stored.stream] = max(stored.version, reached[stored.stream])
        lost = [e for e in mine.values() if e.version > reached[e.stream]]
        assert not lost, (
            f"{len(lost)} events of {service} are not in the log, such as {lost[0].stream}@{lost[0].version}"
        )
    assert poisonous >= 0, f"{-poisonous} records in the log are nobody's"


async def set_aside(ran: Ran, events: Sequence[Event]) -> None:
    """Everything in the log that is no stored event is quarantined or parked, under its offset and with a reason."""
    async with _admin(ran.servers) as connection:
        aside = {
            tuple(row)
            for table in ("quarantine", "parked")
            for row in await connection.fetch(
                f"SELECT topic, partition::int, \"offset\" FROM projections.{table} WHERE reason <> ''"
            )
        }
    mine = {_place(e): e for e in events}
    standing = {
        (record.topic, record.partition, record.offset)
        for service in SERVICES
        async for record in topic.records(ran.servers, EVENT_TOPICS[service])
        if _stored(record, mine) is None
    }
    missed = standing - aside
    assert not missed, f"{len(missed)} broken records are told of nowhere, such as {sorted(missed)[0]}"


async def folded(ran: Ran, events: Sequence[Event]) -> None:
    """Every fact, and every cell of every figure."""
    async with _admin(ran.servers) as connection:
        facts = {tuple(row) for row in await connection.fetch("SELECT stream, version, hash FROM fact")}
        other = facts ^ {(event.stream, event.version, event.hash) for event in events}
        assert not other, f"{len(other)} facts differ, such as {min(other)}"
        said, expected = await fold.stored(connection), fold.expected(events)
    for name, cells in expected.items():
        wrong = {cell: (said[name].get(cell), cells.get(cell)) for cell in {*cells, *said[name]}}
        wrong = {cell: both for cell, both in wrong.items() if both[0] != both[1]}
        assert not wrong, f"{name}: {len(wrong)} cells differ, such as {min(wrong.items())} (stored, expected)"


async def followed(ran: Ran, events: Sequence[Event]) -> None:
    """Each household, with where it lived when, and the events that it was told of."""
    expected = following.expected(events)
    async with _admin(ran.servers) as connection:
        for service in FOLLOWERS:
            await connection.execute(f"SET search_path = {service}")
            known = await following.known(connection)
            wrong = [key for key in {*known, *expected} if known.get(key) != expected.get(key)]
            assert not wrong, f"{service} knows {len(wrong)} households otherwise, such as {min(wrong)}"


async def replayed(ran: Ran, _: Sequence[Event]) -> None:
    outcome = await rebuild.check(rebuilding.setting(ran.servers, processes=1))
    assert outcome.compared is not None
    assert outcome.equal, [(d.table, d.live, d.copy, d.live_row, d.copy_row) for d in outcome.compared.different]


async def final(ran: Ran, _: Sequence[Event]) -> None:
    """The ledgers below each watermark that was seen."""
    async with _admin(ran.servers) as connection:
        for seen in ran.watch.looks:
            now = await watch.final(connection, seen.mark)
            assert now == seen.final, f"before {seen.mark}: {seen.final} became {now}"


async def answered(ran: Ran, _: Sequence[Event]) -> None:
    """What the gateway said as of past moments is said again, when all is over at the latest."""
    await ran.watch.ask_again()
    assert ran.watch.finals, "no answer was final"
    changed = ran.watch.finals.changed
    assert not changed, f"{len(changed)} final answers, such as {changed[0]}"


async def forward(ran: Ran, events: Sequence[Event]) -> None:
    """No stream went back, and the figures of every moment were those of exactly the events folded by then."""
    before: Look | None = None
    for seen in ran.watch.looks:
        back = [s for s, version in (before.heads if before else {}).items() if seen.heads.get(s, 0) < version]
        assert not back, f"{back[0]} went back"
        by_then = [event for event in events if event.version <= seen.heads.get(event.stream, 0)]
        expected = fold.expected(by_then)
        wrong = [name for name, cells in seen.figures.items() if cells != expected[name]]
        assert not wrong, f"{wrong} were not the fold of the {len(by_then)} events that they stood on"
        before = seen


async def fresh(ran: Ran, _: Sequence[Event]) -> None:
    assert ran.watch.answers, "the gateway never answered"
    assert not ran.watch.silent, f"{len(ran.watch.silent)} answers, such as: {ran.watch.silent[0]}"


async def ended(ran: Ran, _: Sequence[Event]) -> None:
    assert not ran.chaos.slow, f"did not end on SIGTERM: {ran.chaos.slow}"


Kept = Callable[[Ran, Sequence[Event]], Awaitable[None]]
PROMISES: Mapping[str, Kept] = {
    "what was acknowledged is stored, as its receipt says": acknowledged,
    "every command is stored wholly or not at all": wholly,
    "versions have no gaps": versions,
    "recorded_at never goes back in a stream": times,
    "the hash chain verifies": chain,
    "every stored event is in its topic, the same bytes in the stream's order": in_the_log,
    "poison is set aside, and told of": set_aside,
    "the projections are the fold of the store": folded,
    "what services know of households is the fold of the registry's store": followed,
    "a replay of the log gives the same tables": replayed,
    "nothing final changes": final,
    "a final answer is given again, whenever it is asked for": answered,
    "figures never stand on anything else than their position": forward,
    "answers say where they stand, and when they are stale": fresh,
    "who is told to end, ends": ended,
}


def _streams(events: Sequence[Event]) -> Mapping[str, list[Event]]:
    """Each stream's in order of version."""
    found: dict[str, list[Event]] = defaultdict(list)
    for event in events:
        found[event.stream].append(event)
    return found


def _place(event: Event) -> str:
    return f"{event.stream}@{event.version}"


def _command(event: Event) -> tuple[str, str]:
    headers = dict(envelope.split(event.headers))
    return headers["ce_agency"], headers["ce_commandid"]


def _stored(record: ConsumerRecord, mine: Mapping[str, Event]) -> Event | None:
    """The event that this record is, byte for byte and in its place; None if it is none."""
    made = poison.of_consumed(record)
    if not poison.is_sound(made) or _misplaced(made):
        return None
    headers = told(made)
    event = mine.get(f"{headers['ce_subject']}@{headers['ce_version']}")
    same = event and (event.headers, event.value) == (_canonical(made), made.value)
    return event if same else None


def _canonical(record: Record) -> bytes:
    return envelope.canonical([(name, (value or b"").decode()) for name, value in record.headers])


def _misplaced(record: Record) -> bool:
    key = envelope.key_of(told(record).get("ce_subject", ""))
    return record.key != key.encode() or bool(record.partition != partition_of(key))


@asynccontextmanager
async def _admin(servers: Servers) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(servers.admin_dsn, server_settings={"search_path": "projections"})
    try:
        yield connection
    finally:
        await connection.close()
