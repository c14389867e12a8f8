"""The promises of the engine, over any arrival: without a database, with the very functions that the engine calls."""

from collections import Counter, defaultdict
from datetime import date, datetime, timedelta
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from services.projections import fold
from services.projections.card import Card, blank
from services.projections.decode import read
from services.projections.evolve import EVOLVE, evolve
from services.projections.facts import Arrived, Fact, Order
from services.projections.fold import Version
from services.projections.models import MODELS
from services.projections.steps import Rows
from services.projections.streams import Stream
from shared.events.catalog import EVENTS
from tests.support.histories import FIRST_DAY, KEY, arrivals, histories
from tests.support.log import START, Log, Record

Ledger = dict[str, dict[Version, Rows]]
enough = settings(max_examples=60, deadline=None)


class Household:
    """The engine's steps for one key, with dicts where the engine has tables."""

    def __init__(self) -> None:
        self.streams: dict[str, Stream] = defaultdict(Stream)
        self.facts: list[Fact] = []
        self.ledger: Ledger = {model.name: defaultdict(dict) for model in MODELS}
        self.card: Card = blank(KEY)
        self.last: Order | None = None

    def take(self, records: list[Record]) -> None:
        new = []
        for record in records:
            arrived = read(record)
            assert isinstance(arrived, Arrived)
            stream = self.streams[arrived.stream]
            stream.folded.clear()
            stream.take([arrived])
            new += [a.fact for a in stream.folded]
        self.facts += new
        new.sort(key=lambda fact: fact.order)
        if not new:
            return
        late = self.last is not None and new[0].order < self.last
        done = fold.refold(MODELS, KEY, self.facts) if late else fold.append(MODELS, self.card, new)
        self.card, self.last = done.card, done.last
        for model in MODELS:
            self._write(model.name, list(done.changes.get(model.name, ())), late)

    def _write(self, name: str, changes: list[fold.Change], late: bool) -> None:
        ledger = self.ledger[name]
        if late:
            gone, changes = fold.rewrite(ledger, changes)
            for version in gone:
                del ledger[version]
        for fact, row, delta in changes:
            ledger[fact.stream, fact.version][row] = delta

    def as_of(self, name: str, valid_on: date, known_at: datetime) -> Counter[tuple[str, ...]]:
        total: Counter[tuple[str, ...]] = Counter()
        known = {(f.stream, f.version) for f in self.facts if f.order[0] <= known_at}
        [model] = (model for model in MODELS if model.name == name)
        for version, rows in self.ledger[name].items():
            for (day, *cell), n in model.unpacked(rows).items():
                if version in known and day <= valid_on:
                    total[tuple(cell)] += n
        return Counter({cell: n for cell, n in total.items() if n})


def straight(log: Log) -> Household:
    household = Household()
    household.take(log.records)
    return household


def test_every_published_event_changes_a_card():
    assert EVOLVE.keys() == EVENTS.keys()


@enough
@given(histories(), st.data())
def test_any_order_any_batches_any_repeats_give_the_same(log: Log, data: st.DataObject):
    expected, household = straight(log), Household()
    for batch in data.draw(arrivals(log.records)):
        household.take(batch)
    assert household.card == expected.card
    assert household.last == expected.last
    assert household.ledger == expected.ledger
    assert all(not stream.waiting for stream in household.streams.values())


@enough
@given(histories(), st.integers(0, 20), st.integers(0, 31))
def test_as_of_is_a_fold_of_what_was_known_then(log: Log, known: int, valid: int):
    known_at, valid_on = START + timedelta(seconds=known), FIRST_DAY + timedelta(valid)
    household, card = straight(log), blank(KEY)
    for fact in sorted((f for f in household.facts if f.order[0] <= known_at), key=lambda f: f.order):
        card = evolve(card, fact)
    for model in MODELS:
        expected: Counter[tuple[Any, ...]] = Counter()
        if isinstance(card, model.card):
            for (day, *cell), n in model.unpacked(model.rows(card)).items():
                expected[tuple(cell)] += n if day <= valid_on else 0
        assert household.as_of(model.name, valid_on, known_at) == {cell: n for cell, n in expected.items() if n}


@enough
@given(histories(), st.integers(0, 31))
def test_measures_of_coverage_fit_together(log: Log, valid: int):
    now = straight(log).as_of("coverage", FIRST_DAY + timedelta(valid), START + timedelta(days=1))
    held: dict[str, set[str]] = defaultdict(set)
    for cell, n in now.items():
        assert n == 1
        held[cell[0] + cell[4]].add(cell[5])
    for measures in held.values():
        assert ("need" in measures) or not measures & {"reached", "resolved", "unreached"}
        assert not {"unreached"} & measures or not measures & {"reached", "resolved"}


@enough
@given(histories(), st.integers(0, 20), st.integers(0, 20))
def test_what_explains_a_change_adds_up_to_it(log: Log, first: int, second: int):
    household, last_day = straight(log), FIRST_DAY + timedelta(99)
    earlier, later = (START + timedelta(seconds=n) for n in sorted((first, second)))
    moment = {(f.stream, f.version): f.order[0] for f in household.facts}
    for model in MODELS:
        total = household.as_of(model.name, last_day, earlier)
        for version, rows in household.ledger[model.name].items():
            if earlier < moment[version] <= later:
                for (_, *cell), n in model.unpacked(rows).items():
                    total[tuple(cell)] += n
        assert {c: n for c, n in total.items() if n} == household.as_of(model.name, last_day, later)


@enough
@given(histories(), st.data())
def test_a_late_fact_rewrites_nothing_recorded_before_it(log: Log, data: st.DataObject):
    late = data.draw(st.sampled_from([r for r in map(read, log.records) if isinstance(r, Arrived)]))
    household, rest = Household(), [r for r in log.records if read(r).stream != late.stream]
    if not rest:
        return
    household.take(rest)
    before = {name: {v: dict(rows) for v, rows in ledger.items()} for name, ledger in household.ledger.items()}
    household.take([r for r in log.records if read(r).stream == late.stream])
    first = min(f.order for f in household.facts if f.stream == late.stream)
    early = {(f.stream, f.version) for f in household.facts if f.order < first}
    for name, ledger in household.ledger.items():
        assert {v: r for v, r in ledger.items() if v in early} == {v: r for v, r in before[name].items() if v in early}


@enough
@given(histories())
def test_a_read_model_looks_only_at_what_it_says_it_reads(log: Log):
    card = blank(KEY)
    for fact in sorted(straight(log).facts, key=lambda f: f.order):
        after = evolve(card, fact)
        for model in MODELS:
            if isinstance(card, model.card) and not model.change(card, after):
                assert model.rows(card) == model.rows(after)
        card = after
