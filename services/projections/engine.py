"""Folds what arrived for some partition numbers into the tables: one transaction a batch, exact under any fault.

    records -> new ones -> streams -> facts -> cards -> ledgers and rollups     (passed, sorted in, folded, written)

The checkpoints, the versions and the rows commit together. Every query stands for the whole batch, so their number does
not grow with it, nor with the partition numbers in it.
"""

from collections import Counter, defaultdict
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence, Set
from dataclasses import dataclass, field
from datetime import datetime
from itertools import chain
from operator import attrgetter
from typing import cast

import asyncpg

from services.projections import fold, group, history, ledgers, merges, parking, tables
from services.projections.checkpoint import Checkpoint, Slice
from services.projections.decode import partition_of
from services.projections.facts import Arrived, Fact, Unreadable
from services.projections.fold import Change, Folded, Version
from services.projections.group import GroupGrew
from services.projections.ledgers import Gone, Sum
from services.projections.model import ReadModel
from services.projections.models import MODELS
from services.projections.sql import Part, run
from services.projections.steps import Rows
from services.projections.tables import Known
from shared.runtime.failpoint import failpoint

Slices = Mapping[int, Sequence[Slice]]
"""By partition number."""
Lock = Callable[[asyncpg.Connection, Collection[int]], Awaitable[dict[int, Checkpoint]]]
"""One of the two of tables.py."""


@dataclass(frozen=True)
class Settled:
    """What a batch came to, for the metrics."""

    records: int = 0
    """That were new."""
    folded: int = 0
    repeated: int = 0
    quarantined: int = 0
    parked: Counter[str] = field(default_factory=Counter)
    """Reason -> how many."""
    refolded: int = 0
    """Keys that a late fact made fold again."""
    locked: Set[int] = frozenset()
    """Partition numbers that another transaction folds: nothing of them was done."""


async def settle(connection: asyncpg.Connection, slices: Slices, lock: Lock = tables.lock_checkpoints) -> Settled:
    """Everything in `slices` exactly once, or nothing. `lock`: whether partition numbers that somebody else has locked
    are waited for, or left out and named as `locked`.

    Raises what is named in checkpoint.py (LostRecords, LogRewritten), OtherVersion, and what asyncpg raises; then
    nothing was written.
    """
    while True:
        try:
            return await _settle(connection, slices, lock)
        except GroupGrew:
            continue  # without its locks, which have to be taken in one order


async def _settle(connection: asyncpg.Connection, slices: Slices, lock: Lock) -> Settled:
    async with connection.transaction():
        checkpoints = await lock(connection, slices.keys())
        locked = slices.keys() - checkpoints.keys()
        for checkpoint in checkpoints.values():
            checkpoint.check()
        every = [(checkpoint, piece) for number, checkpoint in checkpoints.items() for piece in slices[number]]
        records = [record for checkpoint, piece in every for record in checkpoint.pass_over(piece)]
        if not records:
            return Settled(locked=locked)
        named = parking.by_stream(records)
        stored = await tables.load(connection, named)
        found = await parking.sort_in(connection, records, named, stored.heads)
        made = await _fold(connection, found.folded, stored.cards)
        for arrived in found.folded:
            checkpoints[arrived.at.partition].see(arrived.fact.order[0])
        least = min((arrived.fact.order[0] for arrived in found.folded), default=None)
        writes = [*found.heads, *made.writes, tables.save_checkpoints(checkpoints.values())]
        if await run(connection, *writes, history.reaches(least)):
            await history.forget(connection, cast(datetime, least))
        await run(connection, *made.clears)
        if found.touched:
            await tables.mark_incomplete(connection, found.touched)
        failpoint("worker.before_commit")
    failpoint("worker.after_commit")
    quarantined = sum(isinstance(record, Unreadable) for record in records)
    return Settled(len(records), len(found.folded), found.repeated, quarantined, found.parked, made.refolded, locked)


@dataclass
class Made:
    """What new facts came to, and is yet to be written."""

    writes: list[Part] = field(default_factory=list)
    clears: list[Part] = field(default_factory=list)
    """Behind the writes."""
    refolded: int = 0
    """Keys that had to be folded again."""


async def _fold(connection: asyncpg.Connection, arrived: Sequence[Arrived], cards: Mapping[str, Known]) -> Made:
    """Folds new facts. `cards`: those of their keys, and perhaps others."""
    if not arrived:
        return Made()
    facts: dict[str, list[Fact]] = defaultdict(list)
    for one in arrived:
        facts[one.fact.key].append(one.fact)
    known = {key: cards[key] for key in facts}
    merged = await group.join(connection, known, facts)
    done: dict[str, Folded] = {}
    late: list[tuple[str, ...]] = []
    together = set(chain.from_iterable(merged))
    units: list[tuple[str, ...]] = [(key,) for key in facts if key not in together]
    for keys in units + merged:
        new = sorted(chain.from_iterable(facts.get(key, ()) for key in keys), key=attrgetter("order"))
        last = max((before for key in keys if (before := known[key].last)), default=None)
        if last is None or last < new[0].order:
            done |= group.append(MODELS, {key: known[key] for key in keys}, new)
        else:
            late.append(keys)
    again = list(chain.from_iterable(late))
    if late:
        every = await tables.facts_of(connection, again)
        for keys in late:
            all_of = chain.from_iterable([*every[key], *facts.get(key, ())] for key in keys)
            done |= group.refold(MODELS, keys, list(all_of))
    made = await _made(connection, MODELS, done, again)
    saved = {key: Known(done[key].card, done[key].last) for key in facts}
    made.writes += [tables.add_facts(arrived), tables.freshen(arrived), tables.save_cards(saved)]
    return made


async def fold_groups(connection: asyncpg.Connection, models: Sequence[ReadModel]) -> None:
    """Folds together whoever was ever merged, where each household was folded by itself, as a first filling does."""
    keys = await tables.with_links(connection)
    named = group.named_by(await tables.load_cards(connection, keys), {})
    for some in merges.groups(named):
        if len(some) > 1:
            every = await tables.facts_of(connection, some)
            done = group.refold(models, some, list(chain.from_iterable(every.values())))
            made = await _made(connection, models, done, some)
            await run(connection, *made.writes)
            await run(connection, *made.clears)


async def _made(
    connection: asyncpg.Connection, models: Sequence[ReadModel], done: Mapping[str, Folded], again: Sequence[str]
) -> Made:
    """What ledgers and rollups come to. Of a key that was folded again (`again`), only what came out differently."""
    made = Made(refolded=len(again))
    for model in models:
        stored = await ledgers.stored(connection, model, again) if again else {}
        ledger, sums = _difference(model, done, stored)
        made.writes += [*ledger, *ledgers.roll_up(model, sums)]
        made.clears += ledgers.clear(model, sums)
    return made


def _difference(
    model: ReadModel, done: Mapping[str, Folded], stored: Mapping[str, Mapping[Version, Rows]]
) -> tuple[list[Part], Mapping[Sum, int]]:
    """What one read model's ledger comes to, and by how much its cells change, sorted by what is not packed."""
    come: dict[str, Sequence[Change]] = {}
    gone: list[Gone] = []
    sums: dict[Sum, int] = defaultdict(int)
    for key, one in done.items():
        changes = one.changes.get(model.name, ())
        if key in stored:
            versions, changes = fold.rewrite(stored[key], changes)
            gone += [(key, *version) for version in versions]
            for row, n in chain.from_iterable(stored[key][version].items() for version in versions):
                sums[partition_of(key), *row[1:]] -= n
        if changes:
            ledgers.add_up(sums, key, changes)
            come[key] = changes
    return ledgers.write(model, gone, come), model.unpacked(dict(sorted(sums.items())))
