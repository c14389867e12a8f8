"""What the projections know of a household or a helper: its card, made by folding all of its facts (evolve.py).

Its JSON is the column `card.state`, which the gateway reads: dates are ISO 8601, codes those of `shared.events.codes`,
and what is empty is left out.
"""

from datetime import date
from decimal import Decimal

import msgspec
from msgspec import Struct

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
)


class Home(Struct, frozen=True, gc=False):
    since: date
    village: str


class Classified(Struct, frozen=True, gc=False):
    since: date
    household_class: HouseholdClass


class Assessed(Struct, frozen=True, gc=False):
    on: date
    dimension: Dimension
    in_need: bool
    source: Source


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
    order: str | None = None
    reason: OtherDistrictReason | None = None
    until: date | None = None
    """The first day on which it no longer holds."""
    ended: EndReason | None = None


class Member(Struct, frozen=True, gc=False):
    person: str
    relation: Relation


class Household(Struct, frozen=True, gc=False, omit_defaults=True):
    """Tuples stand in the order of the fold; a read model sorts by day where it must."""

    cohort: Cohort | None = None
    members: tuple[Member, ...] = ()
    homes: tuple[Home, ...] = ()
    """Empty until somebody registered it."""
    classes: tuple[Classified, ...] = ()
    assessments: tuple[Assessed, ...] = ()
    helps: tuple[Help, ...] = ()
    pairs: tuple[Pair, ...] = ()


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
