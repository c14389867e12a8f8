"""The promises of test_engine_promises.py for households that merge, part, move, and whose entries are mended."""

from collections import Counter
from datetime import timedelta
from itertools import chain
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from services.projections import merges
from services.projections.decode import read
from services.projections.facts import Arrived
from services.projections.models import MODELS
from tests.support.histories import FIRST_DAY, arrivals, neighbourhoods
from tests.support.log import START, Log
from tests.support.world import World, straight, together

enough = settings(max_examples=250, deadline=None)
seconds = st.integers(0, 13)
valid_days = st.integers(0, 31).map(lambda n: FIRST_DAY + timedelta(n))


@enough
@given(neighbourhoods(), st.data())
def test_any_order_any_batches_any_repeats_give_the_same(log: Log, data: st.DataObject):
    expected, world = straight(log), World()
    for batch in data.draw(arrivals(log.records)):
        world.take(batch)
    assert world.known == expected.known
    assert world.rows() == expected.rows()


@enough
@given(neighbourhoods(), seconds, valid_days)
def test_as_of_is_a_fold_of_what_was_known_then(log: Log, known: int, valid_on: Any):
    world, known_at = straight(log), START + timedelta(seconds=known)
    cards = together(f for f in chain.from_iterable(world.facts.values()) if f.order[0] <= known_at)
    for model in MODELS:
        expected: Counter[tuple[str, ...]] = Counter()
        for card in cards.values():
            for (day, *cell), n in model.unpacked(model.rows(card)).items():
                expected[tuple(cell)] += n if day <= valid_on else 0
        assert world.sums(model.name, valid_on, known_at) == {cell: n for cell, n in expected.items() if n}


@enough
@given(neighbourhoods(), st.data())
def test_what_comes_late_rewrites_nothing_recorded_before_it(log: Log, data: st.DataObject):
    """Of the whole group: also not the rows of another household."""
    stream = read(data.draw(st.sampled_from(log.records))).stream
    world = World()
    world.take(r for r in log.records if read(r).stream != stream)
    before = _copy(world)
    world.take(r for r in log.records if read(r).stream == stream)
    facts = list(chain.from_iterable(world.facts.values()))
    first = min(f.order for f in facts if f.stream == stream)
    early = {(f.stream, f.version) for f in facts if f.order < first}
    for name, of in world.ledger.items():
        for key, rows in of.items():
            kept = {version: made for version, made in rows.items() if version in early}
            assert kept == {v: made for v, made in before[name].get(key, {}).items() if v in early}


def _copy(world: World) -> dict[str, dict[str, dict[Any, Any]]]:
    return {name: {key: dict(rows) for key, rows in of.items()} for name, of in world.ledger.items()}


@enough
@given(neighbourhoods())
def test_whoever_is_merged_counts_nowhere_else_and_nobody_twice(log: Log):
    world = straight(log)
    cards: Any = {key: one.card for key, one in world.known.items()}
    counting = merges.counting(cards)
    now = {key: Counter[Any]() for key in cards}
    for key, of in world.ledger["households"].items():
        for rows in of.values():
            for (_, *cell), n in rows.items():
                now[key][tuple(cell)] += n
    for key, sums in now.items():
        held = sum(n for n in sums.values())
        assert held == (1 if key in counting and counting[key].homes else 0)
        assert set(sums.values()) <= {0, 1}


@enough
@given(neighbourhoods())
def test_every_record_of_these_histories_is_sound(log: Log):
    assert all(isinstance(read(record), Arrived) for record in log.records)
