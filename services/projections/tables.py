"""The engine's tables, read and written a batch at a time, always inside the caller's transaction.

Who folds on writes with the statements that are answered here; `copy_…` fills tables that are empty, at half the cost.
"""

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from typing import NamedTuple, cast

import asyncpg
import msgspec

from services.projections import card as cards
from services.projections.card import Card
from services.projections.checkpoint import SERVICES, Checkpoint
from services.projections.decode import SERVICE_OF_TOPIC, event_of, partition_of
from services.projections.facts import Arrived, Fact, Order
from services.projections.made_by import OtherVersion
from services.projections.sql import QUERIES, Part
from services.projections.streams import Head
from shared.events.envelope import key_of
from shared.runtime.postgres import columns

FACT = ["key", "recorded_at", "stream", "version", "event_id", "type", "occurred_on", "agency"]
FACT += ["hash", "topic", "partition", "offset", "headers", "value"]
"""Columns of `fact` in the order of `_fact_row`."""
CARD = ["key", "partition", "kind", "state", "last_recorded_at", "last_stream", "last_version", "incomplete"]


class Known(NamedTuple):
    """A card as it is stored."""

    card: Card
    last: Order | None


class Stored(NamedTuple):
    """What is known of some streams, and of those whom they are about."""

    heads: dict[str, tuple[Head, bool]]
    """Stream -> its end, and whether something of it is parked; without those of which nothing is known."""
    cards: dict[str, Known]
    """Every key has one, be it blank."""


async def lock_checkpoints(connection: asyncpg.Connection, partitions: Collection[int]) -> dict[int, Checkpoint]:
    """By partition number, locked until the transaction ends: whoever else wants one of them waits, and then sees what
    we did."""
    return await _locked(connection, QUERIES["lock_checkpoints"], partitions)


async def lock_free_checkpoints(connection: asyncpg.Connection, partitions: Collection[int]) -> dict[int, Checkpoint]:
    """The same, without those that somebody else has locked."""
    return await _locked(connection, QUERIES["lock_free_checkpoints"], partitions)


async def _locked(connection: asyncpg.Connection, query: str, partitions: Collection[int]) -> dict[int, Checkpoint]:
    rows = await connection.fetch(query, list(partitions))
    if len(rows) < len(partitions) and await connection.fetchval(QUERIES["new_checkpoints"], sorted(partitions)):
        rows = await connection.fetch(query, list(partitions))
    return {row["partition"]: Checkpoint.of(row) for row in rows}


def save_checkpoints(checkpoints: Iterable[Checkpoint]) -> Part:
    rows = [
        (one.partition, *map(one.offsets.get, SERVICES), *map(one.tails.get, SERVICES), one.newest)
        for one in checkpoints
    ]
    return Part.named("save_checkpoints", *columns(rows))


def add_facts(arrived: Iterable[Arrived]) -> Part:
    return Part.named("add_facts", *columns(_fact_row(a.fact, a) for a in arrived))


async def copy_facts(connection: asyncpg.Connection, arrived: Iterable[Arrived]) -> None:
    rows = [_fact_row(a.fact, a) for a in arrived]
    await connection.copy_records_to_table("fact", records=rows, columns=FACT)


def _fact_row(fact: Fact, a: Arrived) -> tuple[object, ...]:
    told = (fact.event_id, fact.type, a.occurred_on, fact.agency)
    return fact.key, *fact.order, *told, a.hash, *a.at, a.headers, a.value


async def facts_of(connection: asyncpg.Connection, keys: Collection[str]) -> dict[str, list[Fact]]:
    """Every folded fact of these keys, in no order."""
    found: dict[str, list[Fact]] = {key: [] for key in keys}
    for key, recorded_at, stream, version, event_id, kind, agency, value in await connection.fetch(
        QUERIES["facts_of"], list(keys)
    ):
        order = (recorded_at, stream, version)
        found[key].append(Fact(key, order, str(event_id), kind, agency, event_of(kind, value)))
    return found


async def load(connection: asyncpg.Connection, streams: Collection[str]) -> Stored:
    """Raises OtherVersion when the cards are those of another version of Siao."""
    first = {key_of(stream): stream for stream in streams}
    stored = Stored({}, {})
    keys = [key if first[key] == stream else None for stream in streams for key in (key_of(stream),)]
    for stream, version, digest, state, key, *card in await connection.fetch(QUERIES["known_of"], list(streams), keys):
        if version is not None:
            stored.heads[stream] = Head(version, digest), state == "parked"
        if key is not None:
            stored.cards[key] = _known(key, *card)
    return stored


async def load_cards(connection: asyncpg.Connection, keys: Collection[str]) -> dict[str, Known]:
    """Every key has one, be it blank. Raises OtherVersion when they are those of another version of Siao."""
    known = {key: Known(cards.blank(key), None) for key in keys}
    for key, *card in await connection.fetch(QUERIES["cards"], list(keys)):
        known[key] = _known(key, *card)
    return known


def _known(key: str, state: str | None, recorded_at: datetime | None, stream: str | None, version: int | None) -> Known:
    try:
        card = cards.blank(key) if state is None else cards.load(key, state)
    except msgspec.ValidationError as error:
        raise OtherVersion("cards of another version of Siao: run ./siao rebuild --accept-differences") from error
    return Known(card, None if recorded_at is None else cast(Order, (recorded_at, stream, version)))


async def with_links(connection: asyncpg.Connection) -> list[str]:
    """Households that say that they were ever one with another."""
    return [row[0] for row in await connection.fetch(QUERIES["with_links"])]


async def linked(connection: asyncpg.Connection, keys: Collection[str]) -> set[str]:
    """These keys, and every key to which the links of their cards lead."""
    return {row[0] for row in await connection.fetch(QUERIES["linked"], sorted(keys))}


async def lock_linked(connection: asyncpg.Connection, keys: Collection[str]) -> None:
    """Until the transaction ends. Raises LockNotAvailableError where the session waits no longer."""
    await connection.execute(QUERIES["lock_linked"], sorted(keys))


def save_cards(changed: Mapping[str, Known]) -> Part:
    rows = [
        (key, partition_of(key), cards.kind(known.card), cards.dump(known.card), *(known.last or (None, None, None)))
        for key, known in sorted(changed.items())
    ]
    return Part.named("save_cards", *columns(rows))


async def copy_cards(connection: asyncpg.Connection, known: Mapping[str, Known], incomplete: Collection[str]) -> None:
    """Of keys that have no card yet."""
    rows = [
        (key, partition_of(key), cards.kind(card), cards.dump(card), *(last or (None, None, None)), key in incomplete)
        for key, (card, last) in known.items()
    ]
    await connection.copy_records_to_table("card", records=rows, columns=CARD)


async def mark_incomplete(connection: asyncpg.Connection, keys: Collection[str]) -> None:
    """Sets the mark where a stream of the key is parked and clears it elsewhere; after the heads are saved."""
    rows = [(key, partition_of(key), cards.kind(cards.blank(key))) for key in sorted(keys)]
    await connection.execute(QUERIES["mark_incomplete"], *columns(rows))


def freshen(arrived: Iterable[Arrived]) -> Part:
    newest: dict[tuple[int, str, str], list[Arrived]] = {}
    for a in arrived:
        newest.setdefault((a.at.partition, SERVICE_OF_TOPIC[a.at.topic], a.fact.agency), []).append(a)
    rows = [
        (*of, max(a.fact.order[0] for a in some), max(a.occurred_on for a in some), len(some))
        for of, some in sorted(newest.items())
    ]
    return Part.named("freshen", *columns(rows))
