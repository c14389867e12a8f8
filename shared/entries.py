"""What was recorded and can be corrected or voided, and by whom: the same rules in every service. Pure.

An entry is one event of a stream, as it was corrected last. The rules are ours: no document speaks of corrections.
"""

from dataclasses import dataclass, replace
from datetime import date
from typing import Generic, NamedTuple, Protocol, TypeVar

from shared.errors import Rejected
from shared.events.base import Event, Slug
from shared.events.codes import VoidReason

E_co = TypeVar("E_co", bound=Event, covariant=True)
E = TypeVar("E", bound=Event)


class Voiding(Protocol):
    """An event that voids an entry."""

    @property
    def occurred_on(self) -> date: ...
    @property
    def reason(self) -> VoidReason: ...


class Author(NamedTuple):
    """Who asks."""

    agency: Slug
    secretariat: bool = False
    """Acts for the programme's secretariat, which puts everybody's records in order."""


@dataclass(frozen=True, slots=True)
class Entry(Generic[E_co]):
    event: E_co
    """What it says now, after its corrections."""
    agency: Slug
    """Which published it; whoever corrects it later does not own it."""
    voided: tuple[date, VoidReason] | None = None

    @property
    def holds(self) -> bool:
        return self.voided is None

    def corrected(self, by: Event) -> "Entry[E_co]":
        """With the fields that `by`, its correction or the wish for one, states anew; the others stay."""
        stated = {name: value for name, value in by if name in type(self.event).model_fields}
        return replace(self, event=self.event.model_copy(update=stated))

    def voided_by(self, event: Voiding) -> "Entry[E_co]":
        return replace(self, voided=(event.occurred_on, event.reason))


def to_correct(entry: Entry[E] | None, author: Author, field: str) -> Entry[E]:
    """The entry if `author` may correct it. Raises Rejected entry_unknown, not_the_publisher, entry_voided."""
    found = to_change(entry, author, field)
    if not found.holds:
        raise Rejected("entry_voided", field=field)
    return found


def to_change(entry: Entry[E] | None, author: Author, field: str) -> Entry[E]:
    """Raises Rejected entry_unknown, not_the_publisher."""
    if entry is None:
        raise Rejected("entry_unknown", field=field)
    if not author.secretariat and author.agency != entry.agency:
        raise Rejected("not_the_publisher", field=field, agency=entry.agency)
    return entry


def is_voided(entry: Entry[Event], day: date, reason: VoidReason, field: str) -> bool:
    """Whether this very voiding is recorded. Raises Rejected entry_voided where it is, of another day or reason."""
    if entry.voided not in (None, (day, reason)):
        raise Rejected("entry_voided", field=field)
    return not entry.holds
