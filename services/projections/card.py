"""What the projections know of a household or a helper: its card, made by folding all of its facts (evolve.py).

Its JSON is the column `card.state`, which the gateway reads: dates are ISO 8601, codes those of `shared.events.codes`,
and what is empty is left out.

An entry knows the version of the event that made it, by which a correction or a voiding event finds it. It keeps its
place when it is corrected: what was said later of the same day still holds.
"""

from datetime import date
from decimal import Decimal
from typing import Literal

import msgspec
from msgspec import Struct

from services.projections import exits
from services.projections.exits import Exit, Exited
from shared.events.codes import (
    Chosen,
    Cohort,
    Dimension,
    EndReason,
    HelperKind,
    HouseholdClass,
    Item,
    Level,
    OtherDistrictReason,
    PairRole,
    Relation,
    Source,
    VoidReason,
)


class Home(Struct, frozen=True, gc=False, omit_defaults=True):
    since: date
    village: str
    version: int
    was: str | None = None
    """Of a recoding, the code until then."""


class Classified(Struct, frozen=True, gc=False):
    since: date
    household_class: HouseholdClass
    version: int


class Assessed(Struct, frozen=True, gc=False):
    on: date
    dimension: Dimension
    in_need: bool
    source: Source
    version: int


class Help(Struct, frozen=True, gc=False, omit_defaults=True):
    intervention: str
    on: date
    item: Item
    dimensions: tuple[Dimension, ...]
    level: Level
    provider: str
    agency: str
    """That published it."""
    fund: str | None = None
    amount_baht: Decimal | None = None


class Pair(Struct, frozen=True, gc=False, omit_defaults=True):
    helper: str
    kind: HelperKind
    role: PairRole
    since: date
    chosen: Chosen
    version: int
    order: str | None = None
    reason: OtherDistrictReason | None = None
    until: date | None = None
    """The first day on which it no longer holds."""
    ended: EndReason | None = None
    end_version: int = 0
    person: str | None = None
    """The member whom it is about, where it is one."""


class Member(Struct, frozen=True, gc=False):
    person: str
    relation: Relation


class Link(Struct, frozen=True, gc=False):
    """What this household's own stream says of a merge with another one; merges.py holds both ends together."""

    other: str
    end: Literal["merged", "absorbed"]
    """merged: this household into the other; absorbed: the other into this one."""
    changes: int
    """How often it was said: an odd number, they are one; an even one, they are two again."""


class Household(Struct, frozen=True, gc=False, omit_defaults=True):
    """What its own streams say. Tuples stand in the order of the fold; a read model sorts by day where it must."""

    cohort: Cohort | None = None
    members: tuple[Member, ...] = ()
    homes: tuple[Home, ...] = ()
    """The registration first; empty until somebody registered it."""
    classes: tuple[Classified, ...] = ()
    assessments: tuple[Assessed, ...] = ()
    helps: tuple[Help, ...] = ()
    exits: tuple[Exit, ...] = ()
    pairs: tuple[Pair, ...] = ()
    links: tuple[Link, ...] = ()
    voided: VoidReason | None = None
    """Why it never was; then only links stand beside it."""

    @property
    def exited(self) -> Exited:
        """Empty for most. It depends on exits, assessments and homes."""
        if not self.exits:
            return ()
        registered = self.homes[0].since if self.homes else date.min
        return exits.course(self.exits, ((a.on, a.in_need) for a in self.assessments), registered)


class Helper(Struct, frozen=True, gc=False, omit_defaults=True):
    helper: str = ""
    kind: HelperKind | None = None
    district: str = ""
    office: str = ""
    since: date | None = None


Card = Household | Helper

KINDS: dict[str, type[Card]] = {"hh": Household, "hp": Helper}
"""Prefix of a key -> its kind of card."""


def blank(key: str) -> Card:
    return KINDS[key[:2]]()


def kind(card: Card) -> str:
    """As the table `card` names it."""
    return type(card).__name__.lower()


def dump(card: Card) -> str:
    return msgspec.json.encode(card).decode()


_DECODERS = {prefix: msgspec.json.Decoder(model) for prefix, model in KINDS.items()}


def load(key: str, state: str) -> Card:
    card: Card = _DECODERS[key[:2]].decode(state)
    return card
