"""Merged households in the database: who belongs together, and how several workers fold them.

Every transaction holds its own partitions' checkpoints, and the two ends of a merge are in two partitions. So whoever
touches a household with a link of its own, stored on its card or in this batch, locks that household and all to which
links lead, before it reads anything that they share. The locks are PostgreSQL's advisory ones, until the commit.

- A group's facts are folded by whichever end comes second: it waits for the first one's commit, and reads what that
  wrote. Before, a link that only one end knows has no effect, and each folds its own household alone.
- A household without a link of its own is written by nobody else's transaction: it is in no group. It takes no lock,
  and an ordinary batch asks nothing more than before, since links stand on the cards that it reads anyway.
- Locks are taken in one order. Had the group grown while they were waited for, they would have to be taken out of
  order: the transaction gives up all of them and begins again.
- Nothing that two transactions could wait for is taken before these locks, but for the own checkpoint and streams,
  for which nobody with another checkpoint asks. Behind them come the rollups, again in one order: no two wait for
  each other.
"""

from collections.abc import Mapping, Sequence
from itertools import chain
from typing import cast

import asyncpg

from services.projections import fold, merges, tables
from services.projections.card import Household
from services.projections.evolve import LINKS
from services.projections.facts import Fact
from services.projections.fold import Folded
from services.projections.model import ReadModel
from services.projections.tables import Known


class GroupGrew(Exception):
    """A household came to the group while its locks were waited for. Begin again."""


async def join(
    connection: asyncpg.Connection, known: dict[str, Known], facts: Mapping[str, Sequence[Fact]]
) -> list[tuple[str, ...]]:
    """The groups, of two at least, to which the keys of `facts` belong, locked; `known` then has all their cards.

    Raises GroupGrew.
    """
    named = named_by(known, facts)
    if not named:
        return []
    locked = await tables.linked(connection, {*named, *(other for others in named.values() for other in others)})
    await tables.lock_linked(connection, locked)
    known |= await tables.load_cards(connection, locked)
    named = named_by({key: known[key] for key in locked}, facts)
    if not all(locked.issuperset(others) for others in named.values()):
        raise GroupGrew
    return [keys for keys in merges.groups(named) if len(keys) > 1 and not facts.keys().isdisjoint(keys)]


def named_by(known: Mapping[str, Known], facts: Mapping[str, Sequence[Fact]]) -> dict[str, set[str]]:
    """Key -> with whom it says that it was ever one, stored or in `facts`. Without those that never said so."""
    found = {key: others for key, one in known.items() if (others := merges.said(one.card))}
    for fact in chain.from_iterable(facts.values()):
        if fact.type in LINKS:
            found.setdefault(fact.key, set()).add(getattr(fact.event, LINKS[fact.type]))
    return {key: others - {key} for key, others in found.items()}


def append(models: Sequence[ReadModel], known: Mapping[str, Known], facts: Sequence[Fact]) -> dict[str, Folded]:
    """What `facts`, in order and behind all that is known, make of a group of one or more."""
    if len(known) == 1:
        [(key, one)] = known.items()
        return {key: fold.append(models, one.card, facts)}
    cards = {key: cast(Household, one.card) for key, one in known.items()}
    return merges.append(models, cards, {key: one.last for key, one in known.items()}, facts)


def refold(models: Sequence[ReadModel], keys: Sequence[str], facts: Sequence[Fact]) -> dict[str, Folded]:
    """The same from all the facts of a group."""
    return merges.refold(models, keys, facts) if len(keys) > 1 else {keys[0]: fold.refold(models, keys[0], facts)}
