"""Households that turned out to be one: which cards count, and what each fact changes in them. Pure.

A merge is two facts, one in each household's stream, in two partitions; so is the end of a merge. The n-th change that
both streams tell of takes effect at the later of its two facts, in the one order of facts; what only one of them tells
has none. So it does not matter which of them arrives first, or when.

Whoever was ever one belongs to one group, which is folded over the union of its facts. What a fact changes is the rows
of all cards that count after it, less those before it, written under the key of the household that they count for. So
the ledger says of a merge what it says of any other fact, and a late one rewrites nothing that was recorded before it.

A card itself tells of its own streams only. It and its links are written by its own partition alone.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from itertools import chain
from typing import TypeVar, cast

from services.projections.card import Card, Household, blank
from services.projections.evolve import evolve
from services.projections.facts import Fact, Order
from services.projections.fold import Change, Folded
from services.projections.model import ReadModel

Cards = Mapping[str, Household]
"""Key -> what its own streams say."""
T = TypeVar("T")


def said(card: Card) -> set[str]:
    """With whom this card says that it was ever one."""
    return {link.other for link in card.links} if isinstance(card, Household) and card.links else set()


def groups(named: Mapping[str, Collection[str]]) -> list[tuple[str, ...]]:
    """The keys that were ever one, sorted: both of two say so, or a third one connects them. `named`: key -> others."""
    other = {key: {o for o in others if key in named.get(o, ())} for key, others in named.items()}
    left, found = set(named), []
    while left:
        group, new = set[str](), {min(left)}
        while new:
            group |= new
            new = {o for key in new for o in other[key]} - group
        found.append(tuple(sorted(group)))
        left -= group
    return found


def counting(cards: Cards) -> dict[str, Household]:
    """The cards that count now, for each household that is one of its own; the merged ones count there."""
    into = _into(cards)
    if not into:
        return dict(cards)
    members: dict[str, list[str]] = defaultdict(list)
    for key in sorted(cards):
        members[_survivor(key, into)].append(key)
    return {survivor: _combined(survivor, keys, cards) for survivor, keys in members.items()}


def _into(cards: Cards) -> dict[str, str]:
    """The household into which each is merged: both ends have said so once more often than that they are two.

    A stream can hold several at once only where the registry's rules were broken; then the first by name counts.
    """
    told = {(key, link.other, link.end): link.changes for key, card in cards.items() for link in card.links}
    merged: dict[str, list[str]] = defaultdict(list)
    for (key, other, end), changes in told.items():
        if end == "merged" and min(changes, told.get((other, key, "absorbed"), 0)) % 2:
            merged[key].append(other)
    return {key: min(others) for key, others in merged.items()}


def _survivor(key: str, into: Mapping[str, str]) -> str:
    """Where a chain of merges ends; of a circle, which the registry refuses, the first by name."""
    way = [key]
    while (following := into.get(way[-1])) and following not in way:
        way.append(following)
    return min(way[way.index(following) :]) if following else way[-1]


def _combined(survivor: str, keys: Sequence[str], cards: Cards) -> Household:
    """One household of several cards. It lives where the survivor lives (or, if that one never was, where the first of
    the others by name); of two facts about one day the survivor's holds; it is of a cohort if one of them was."""
    if len(keys) == 1:
        return cards[survivor]
    ranked = [cards[survivor], *(cards[key] for key in keys if key != survivor)]
    home = next((card for card in ranked if card.homes), cards[survivor])
    every = ranked[::-1]  # of one day, what stands last holds
    return Household(
        cohort=next((card.cohort for card in (home, *ranked) if card.cohort), None),
        members=home.members,
        homes=home.homes,
        classes=_all(card.classes for card in every),
        assessments=_all(card.assessments for card in every),
        helps=_all(card.helps for card in every),
        exits=_all(card.exits for card in every),
        pairs=_all(card.pairs for card in every),
    )


def _all(entries: Iterable[tuple[T, ...]]) -> tuple[T, ...]:
    return tuple(chain.from_iterable(entries))


def append(
    models: Sequence[ReadModel], cards: Cards, last: Mapping[str, Order | None], facts: Iterable[Fact]
) -> dict[str, Folded]:
    """`fold.append` for a group: `facts` in their order, all of them behind those that any of the cards holds."""
    own, orders = dict(cards), dict(last)
    changes: dict[str, dict[str, list[Change]]] = {key: defaultdict(list) for key in own}
    before = counting(own)
    for fact in facts:
        own[fact.key] = cast(Household, evolve(own[fact.key], fact))
        orders[fact.key] = fact.order
        after = counting(own)
        for key in before.keys() | after.keys():
            was, now = before.get(key, Household()), after.get(key, Household())
            for model in models if was != now else ():
                rows = model.change(was, now)
                changes[key][model.name] += [Change(fact, row, n) for row, n in rows.items()]
        before = after
    return {key: Folded(own[key], orders[key], changes[key]) for key in own}


def refold(models: Sequence[ReadModel], keys: Collection[str], facts: Iterable[Fact]) -> dict[str, Folded]:
    """All facts of a group, from blank cards on."""
    cards = {key: cast(Household, blank(key)) for key in keys}
    return append(models, cards, dict.fromkeys(keys), sorted(facts, key=lambda fact: fact.order))
