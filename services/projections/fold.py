"""From facts to the rows that each of them changed. Pure: the engine reads before it and writes after it."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from services.projections.card import Card, blank
from services.projections.evolve import evolve
from services.projections.facts import Fact, Order
from services.projections.model import Counted, ReadModel
from services.projections.steps import Row, Rows

Version = tuple[str, int]
"""stream, version: which fact."""


class Change(NamedTuple):
    """One row of a ledger, and the fact that made it."""

    fact: Fact
    row: Row
    delta: int


class Folded(NamedTuple):
    """A key as some of its facts make it, and what those facts changed, by name of the read model."""

    card: Card
    last: Order | None
    changes: Mapping[str, Sequence[Change]]


def append(models: Sequence[ReadModel], card: Card, facts: Iterable[Fact]) -> Folded:
    """`facts` in their order, all of them behind those that the card holds already."""
    changes: dict[str, list[Change]] = defaultdict(list)
    counted = [(model.name, Counted(model, card)) for model in models if type(card) is model.card]
    last = None
    for fact in facts:
        card, last = evolve(card, fact), fact.order
        for name, one in counted:
            if rows := one.change(card):
                changes[name] += [Change(fact, row, n) for row, n in rows.items()]
    return Folded(card, last, changes)


def refold(models: Sequence[ReadModel], key: str, facts: Iterable[Fact]) -> Folded:
    """All facts of a key, from its blank card on."""
    return append(models, blank(key), sorted(facts, key=lambda fact: fact.order))


def rewrite(stored: Mapping[Version, Rows], changes: Sequence[Change]) -> tuple[set[Version], list[Change]]:
    """The facts whose stored rows go, and the rows that come in their place: only what a refold made different.

    Rows of facts that stand before the late one are the same, so what is below the watermark is never touched.
    """
    made: dict[Version, Rows] = defaultdict(dict)
    for fact, row, delta in changes:
        made[fact.stream, fact.version][row] = delta
    other = {version for version in stored.keys() | made.keys() if stored.get(version) != made.get(version)}
    return other & stored.keys(), [change for change in changes if (change.fact.stream, change.fact.version) in other]
