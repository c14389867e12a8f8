"""Folds what arrived for one partition number into the tables: one transaction a batch, exact under any fault.

    records -> new ones -> streams -> facts -> cards -> ledgers and rollups     (passed, sorted in, folded, written)

The checkpoint, the versions and the rows commit together. Every query stands for the whole batch, so their number does
not grow with it.
"""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import asyncpg

from services.projections import fold, history, ledgers, parking, tables
from services.projections.card import blank
from services.projections.checkpoint import Slice
from services.projections.decode import SERVICE_OF_TOPIC, read
from services.projections.facts import Fact, Unreadable
from services.projections.fold import Change, Folded
from services.projections.ledgers import Gone
from services.projections.model import ReadModel
from services.projections.models import MODELS
from services.projections.steps import Cell
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


async def settle(
    connection: asyncpg.Connection, partition: int, slices: Sequence[Slice], models: Sequence[ReadModel] = MODELS
) -> Settled:
    """Everything in `slices` exactly once, or nothing.

    Raises what is named in checkpoint.py (LostRecords, LogRewritten, OtherReadModels) and what asyncpg raises; then
    nothing was written.
    """
    async with connection.transaction():
        checkpoint = await tables.lock_checkpoint(connection, partition)
        checkpoint.check([model.name for model in models])
        records = [read(record) for piece in slices for record in checkpoint.pass_over(piece)]
        if not records:
            return Settled()
        found = await parking.sort_in(connection, partition, records)
        refolded = 0
        if found.folded:
            await tables.add_facts(connection, found.folded)
            facts: dict[str, list[Fact]] = defaultdict(list)
            for arrived in found.folded:
                facts[arrived.fact.key].append(arrived.fact)
            refolded = await _fold(connection, partition, facts, models)
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


async def _fold(
    connection: asyncpg.Connection, partition: int, facts: Mapping[str, list[Fact]], models: Sequence[ReadModel]
) -> int:
    """Folds new facts, by key, and writes what they changed. Answers how many keys had to be folded again."""
    known = await tables.load_cards(connection, facts)
    done: dict[str, Folded] = {}
    late = []
    for key, new in facts.items():
        new.sort(key=lambda fact: fact.order)
        card, last = known.get(key, Known(blank(key), None))
        if last is None or last < new[0].order:
            done[key] = fold.append(models, card, new)
        else:
            late.append(key)
    if late:
        for key, every in (await tables.facts_of(connection, late)).items():
            done[key] = fold.refold(models, key, every)
    for model in models:
        await _write(connection, partition, model, done, late)
    await tables.save_cards(connection, partition, {key: Known(one.card, one.last) for key, one in done.items()})
    return len(late)


async def _write(
    connection: asyncpg.Connection, partition: int, model: ReadModel, done: Mapping[str, Folded], late: Sequence[str]
) -> None:
    """One read model's ledger and rollup. Of a key that was folded again, only what came out differently."""
    stored = await ledgers.stored(connection, model, late) if late else {}
    come: list[Change] = []
    gone: list[Gone] = []
    sums = Counter[Cell]()
    for key, one in done.items():
        changes = one.changes.get(model.name, ())
        if key in stored:
            versions, changes = fold.rewrite(stored[key], changes)
            gone += [(key, *version) for version in versions]
            for row, n in (item for version in versions for item in stored[key][version].items()):
                sums[row[1:]] -= n
        for change in changes:
            sums[change.row[1:]] += change.delta
        come += changes
    await ledgers.write(connection, model, partition, gone, come)
    await ledgers.roll_up(connection, model, partition, sums)
