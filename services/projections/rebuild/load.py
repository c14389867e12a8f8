"""The first folding of a partition number into empty tables: each key gathered, folded once in order, and copied in.

It comes to what the engine comes to batch by batch (`Rebuild.compared` holds the two against each other), with no
question to the database: what is known of a key is all in one heap. Merged households, each of which is folded by
itself here, are folded together afterwards (filling.py).
"""

import asyncio
from collections import defaultdict
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from datetime import datetime

import asyncpg
from confluent_kafka import Consumer

from services.projections import fold, ledgers, parking, tables
from services.projections.card import blank
from services.projections.checkpoint import Checkpoint
from services.projections.decode import SERVICE_OF_TOPIC, fingerprint, read
from services.projections.facts import Arrived, Fact, Held, Unreadable
from services.projections.ledgers import Sum
from services.projections.model import ReadModel
from services.projections.models import MODELS
from services.projections.rebuild.merged import is_known
from services.projections.rebuild.reading import chunks
from services.projections.rebuild.spool import Spool
from services.projections.rebuild.tally import Tally
from services.projections.sql import run
from services.projections.streams import Stream
from services.projections.tables import Known
from shared.events.envelope import key_of

Totals = dict[ReadModel, dict[Sum, int]]
"""What a partition number comes to in the rollups, packed. Grows with its places and helpers, not with its events."""


async def load(
    connection: asyncpg.Connection, consumer: Consumer, number: int, until: Mapping[str, int], moment: datetime | None
) -> Tally:
    """All of a partition number in one transaction; nothing when it is there already."""
    async with connection.transaction():
        checkpoint = (await tables.lock_checkpoints(connection, [number]))[number]
        if any(checkpoint.offsets.values()):
            return Tally()
        tally = Tally(transactions=1)
        with ExitStack() as stack:
            spool = Spool(stack, sum(until.values()))
            tally += await asyncio.to_thread(_gather, spool, consumer, checkpoint, until, moment)
            totals: Totals = {model: defaultdict(int) for model in MODELS}
            for heap in spool.heaps():
                tally += await _fold(connection, checkpoint, heap, totals)
        for model, sums in totals.items():
            await ledgers.copy_rollup(connection, model, sums)
        await run(connection, tables.save_checkpoints([checkpoint]))
    return tally


def _gather(
    spool: Spool, consumer: Consumer, checkpoint: Checkpoint, until: Mapping[str, int], moment: datetime | None
) -> Tally:
    count = 0
    for records in chunks(consumer, checkpoint.partition, until):
        count += len(records)
        kept = [record for record in records if moment is None or is_known(record, moment)]
        spool.add(kept)
        for last in {record.topic: record for record in kept}.values():
            checkpoint.move(SERVICE_OF_TOPIC[last.topic], last.offset, fingerprint(last))
    return Tally(read=count)


async def _fold(connection: asyncpg.Connection, checkpoint: Checkpoint, heap: list[Held], totals: Totals) -> Tally:
    """Every record of the keys in a heap. What they come to is added to the totals."""
    streams, unreadable = _sorted(heap)
    heap.clear()
    arrived = [one for stream in streams.values() for one in stream.folded]
    await parking.keep(connection, streams, unreadable)
    if arrived:
        await tables.copy_facts(connection, arrived)
        await run(connection, tables.freshen(arrived))
        checkpoint.see(max(a.fact.order[0] for a in arrived))
    await _fold_keys(connection, streams, arrived, totals)
    return Tally(folded=len(arrived))


def _sorted(heap: Sequence[Held]) -> tuple[dict[str, Stream], list[Unreadable]]:
    of: dict[str, list[Arrived | Unreadable]] = defaultdict(list)
    unreadable = []
    for record in map(read, heap):
        if isinstance(record, Unreadable):
            unreadable.append(record)
        if record.stream:
            of[record.stream].append(record)
    streams = {name: Stream() for name in of}
    for name, records in of.items():
        streams[name].take(records)
    return streams, unreadable


async def _fold_keys(
    connection: asyncpg.Connection, streams: Mapping[str, Stream], arrived: Sequence[Arrived], totals: Totals
) -> None:
    facts: dict[str, list[Fact]] = defaultdict(list)
    for one in arrived:
        facts[one.fact.key].append(one.fact)
    done = {key: fold.refold(MODELS, key, some) for key, some in facts.items()}
    for model, sums in totals.items():
        changes = {key: one.changes.get(model.name, ()) for key, one in done.items()}
        await ledgers.copy(connection, model, changes)
        for key, some in changes.items():
            ledgers.add_up(sums, key, some)
    incomplete = {key_of(name) for name, stream in streams.items() if stream.waiting}
    cards = {key: Known(blank(key), None) for key in incomplete}
    cards |= {key: Known(one.card, one.last) for key, one in done.items()}
    await tables.copy_cards(connection, cards, incomplete)
