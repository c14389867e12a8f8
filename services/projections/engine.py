"""Folds what arrived for one partition number into the tables: one transaction a batch, exact under any fault.

    records -> new ones -> streams -> facts -> cards -> ledgers and rollups     (passed, sorted in, folded, written)

The checkpoint, the versions and the rows commit together. Every query stands for the whole batch, so their number does
not grow with it.
"""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from operator import attrgetter

import asyncpg

from services.projections import fold, group, history, ledgers, merges, parking, tables
from services.projections.checkpoint import Slice
from services.projections.decode import SERVICE_OF_TOPIC, partition_of
from services.projections.facts import Fact, Unreadable
from services.projections.fold import Change, Folded
from services.projections.group import GroupGrew
from services.projections.ledgers import Gone, Sum
from services.projections.model import ReadModel
from services.projections.models import MODELS
from services.projections.tables import Known
from shared.runtime.failpoint import failpoint


@dataclass(frozen=True)
class Settled:
    """What a batch came to, for the metrics."""

    folded: int = 0
    repeated: int = 0
    quarantined: int = 0
    parked: Counter[str] = field(default_factory=Counter)
    """Reason -> how many."""
    refolded: int = 0
    """Keys that a late fact made fold again."""


async def settle(connection: asyncpg.Connection, partition: int, slices: Sequence[Slice]) -> Settled:
    """Everything in `slices` exactly once, or nothing.

    Raises what is named in checkpoint.py (LostRecords, LogRewritten), OtherVersion, and what asyncpg raises; then
    nothing was written.
    """
    while True:
        try:
            return await _settle(connection, partition, slices)
        except GroupGrew:
            continue  # without its locks, which have to be taken in one order


async def _settle(connection: asyncpg.Connection, partition: int, slices: Sequence[Slice]) -> Settled:
    async with connection.transaction():
        checkpoint = await tables.lock_checkpoint(connection, partition)
        checkpoint.check()
        records = [record for piece in slices for record in checkpoint.pass_over(piece)]
        if not records:
            return Settled()
        found = await parking.sort_in(connection, partition, records)
        refolded = 0
        if found.folded:
            await tables.add_facts(connection, found.folded)
            facts: dict[str, list[Fact]] = defaultdict(list)
            for arrived in found.folded:
                facts[arrived.fact.key].append(arrived.fact)
            refolded = await _fold(connection, partition, facts)
            await tables.freshen(connection, partition, [(SERVICE_OF_TOPIC[a.at.topic], a) for a in found.folded])
            moments = [arrived.fact.order[0] for arrived in found.folded]
            await history.forget(connection, min(moments))
            checkpoint.newest = max(moments)
        if found.touched:
            await tables.mark_incomplete(connection, partition, found.touched)
        await tables.save_checkpoint(connection, checkpoint)
        failpoint("worker.before_commit")
    failpoint("worker.after_commit")
    quarantined = sum(isinstance(record, Unreadable) for record in records)
    return Settled(len(found.folded), found.repeated, quarantined, found.parked, refolded)


async def _fold(connection: asyncpg.Connection, partition: int, facts: Mapping[str, list[Fact]]) -> int:
    """Folds new facts, by key, and writes what they changed. Answers how many keys had to be folded again."""
    known = await tables.load_cards(connection, facts)
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
            done |= group.refold(MODELS, keys, list(chain.from_iterable(every[key] for key in keys)))
    for model in MODELS:
        await _write(connection, model, done, again)
    await tables.save_cards(connection, partition, {key: Known(done[key].card, done[key].last) for key in facts})
    return len(again)


async def fold_groups(connection: asyncpg.Connection, models: Sequence[ReadModel]) -> None:
    """Folds together whoever was ever merged, where each household was folded by itself, as a first filling does."""
    keys = await tables.with_links(connection)
    named = group.named_by(await tables.load_cards(connection, keys), {})
    for some in merges.groups(named):
        if len(some) > 1:
            every = await tables.facts_of(connection, some)
            done = group.refold(models, some, list(chain.from_iterable(every.values())))
            for model in models:
                await _write(connection, model, done, some)


async def _write(
    connection: asyncpg.Connection, model: ReadModel, done: Mapping[str, Folded], again: Sequence[str]
) -> None:
    """One read model's ledger and rollup. Of a key that was folded again, only what came out differently."""
    stored = await ledgers.stored(connection, model, again) if again else {}
    come: dict[str, Sequence[Change]] = {}
    gone: list[Gone] = []
    sums: dict[Sum, int] = defaultdict(int)
    for key, one in done.items():
        changes, partition = one.changes.get(model.name, ()), partition_of(key)
        if key in stored:
            versions, changes = fold.rewrite(stored[key], changes)
            gone += [(key, *version) for version in versions]
            for row, n in chain.from_iterable(stored[key][version].items() for version in versions):
                sums[partition, *row[1:]] -= n
        for change in changes:
            sums[partition, *change.row[1:]] += change.delta
        come[key] = changes
    await ledgers.write(connection, model, gone, come)
    await ledgers.roll_up(connection, model, sums)
