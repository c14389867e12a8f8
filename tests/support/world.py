"""The engine's steps over many households and partitions, with dicts where it has tables; and the fold of a set."""

from collections import Counter, defaultdict
from collections.abc import Iterable
from datetime import date, datetime
from itertools import chain

from services.projections import fold, group, merges
from services.projections.card import Card, Household, blank
from services.projections.decode import read
from services.projections.evolve import evolve
from services.projections.facts import Arrived, Fact
from services.projections.fold import Version
from services.projections.models import MODELS
from services.projections.steps import Cell, Rows
from services.projections.streams import Stream
from services.projections.tables import Known
from tests.support.log import Log, Record

Ledger = dict[str, dict[str, dict[Version, Rows]]]
"""Read model -> key -> fact -> the rows that it made."""


class World:
    def __init__(self) -> None:
        self.streams: dict[str, Stream] = defaultdict(Stream)
        self.facts: dict[str, list[Fact]] = defaultdict(list)
        self.known: dict[str, Known] = {}
        self.ledger: Ledger = {model.name: {} for model in MODELS}

    def take(self, records: Iterable[Record]) -> None:
        """A batch: its partition numbers one after the other, as their workers come to it."""
        by_partition = defaultdict(list)
        for record in records:
            by_partition[record.partition].append(record)
        for some in by_partition.values():
            self._settle(some)

    def _settle(self, records: list[Record]) -> None:
        facts: dict[str, list[Fact]] = defaultdict(list)
        for record in records:
            arrived = read(record)
            assert isinstance(arrived, Arrived), arrived
            stream = self.streams[arrived.stream]
            stream.folded.clear()
            stream.take([arrived])
            for a in stream.folded:
                facts[a.fact.key].append(a.fact)
        for key, new in facts.items():
            self.facts[key] += new
        named = group.named_by(self.known | {key: self._known(key) for key in facts}, facts)
        merged = [keys for keys in merges.groups(named) if len(keys) > 1]
        alone = [(key,) for key in facts.keys() - set(chain.from_iterable(merged))]
        for keys in [*alone, *(keys for keys in merged if not facts.keys().isdisjoint(keys))]:
            self._fold(keys, facts)

    def _known(self, key: str) -> Known:
        return self.known.get(key, Known(blank(key), None))

    def _fold(self, keys: tuple[str, ...], facts: dict[str, list[Fact]]) -> None:
        new = sorted((f for key in keys for f in facts.get(key, ())), key=lambda fact: fact.order)
        last = max((one.last for key in keys if (one := self._known(key)).last), default=None)
        late = last is not None and new[0].order < last
        if late:
            done = group.refold(MODELS, keys, [f for key in keys for f in self.facts[key]])
        else:
            done = group.append(MODELS, {key: self._known(key) for key in keys}, new)
        for key, folded in done.items():
            if late:
                for model in MODELS:
                    self._rewrite(model.name, key, list(folded.changes.get(model.name, ())))
            else:
                for name, changes in folded.changes.items():
                    self._add(name, key, list(changes))
            if key in facts:
                self.known[key] = Known(folded.card, folded.last)
            else:  # its own partition writes it, and nobody else has to
                assert self._known(key) == Known(folded.card, folded.last)

    def _rewrite(self, name: str, key: str, changes: list[fold.Change]) -> None:
        stored = self.ledger[name].setdefault(key, {})
        gone, changes = fold.rewrite(stored, changes)
        for version in gone:
            del stored[version]
        self._add(name, key, changes)

    def _add(self, name: str, key: str, changes: list[fold.Change]) -> None:
        stored = self.ledger[name].setdefault(key, {})
        for fact, row, delta in changes:
            stored.setdefault((fact.stream, fact.version), {})[row] = delta

    def rows(self) -> Ledger:
        """Without the keys that have none; by every column of the models."""
        return {
            model.name: {
                key: {version: dict(model.unpacked(rows)) for version, rows in by_fact.items()}
                for key, by_fact in self.ledger[model.name].items()
                if by_fact
            }
            for model in MODELS
        }

    def sums(self, name: str, valid_on: date, known_at: datetime) -> Counter[Cell]:
        moment = {(f.stream, f.version): f.order[0] for f in chain.from_iterable(self.facts.values())}
        total: Counter[Cell] = Counter()
        for of in self.rows()[name].values():
            for version, rows in of.items():
                for (day, *cell), n in rows.items() if moment[version] <= known_at else ():
                    total[tuple(cell)] += n if day <= valid_on else 0
        return Counter({cell: n for cell, n in total.items() if n})


def straight(log: Log) -> World:
    """Everything at once, a partition number after the other."""
    world = World()
    world.take(log.records)
    return world


def together(facts: Iterable[Fact]) -> dict[str, Card]:
    """The cards that count, from a set of facts, with no group, batch or partition in it."""
    cards: dict[str, Card] = {}
    for fact in sorted(facts, key=lambda f: f.order):
        cards[fact.key] = evolve(cards.get(fact.key, blank(fact.key)), fact)
    own = {key: card for key, card in cards.items() if isinstance(card, Household)}
    return {key: card for key, card in cards.items() if key not in own} | merges.counting(own)


def one_group(facts: Iterable[Fact]) -> Ledger:
    """The rows that every fact of a set makes, were all households of one group; without those that make none."""
    facts = list(facts)
    done = merges.refold(MODELS, {fact.key for fact in facts if fact.key[:2] == "hh"}, facts)
    found: Ledger = {model.name: defaultdict(lambda: defaultdict(dict)) for model in MODELS}
    for key, folded in done.items():
        for model in MODELS:
            for fact, row, delta in folded.changes.get(model.name, ()):
                found[model.name][key][fact.stream, fact.version] |= model.unpacked({row: delta})
    return found
