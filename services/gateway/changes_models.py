"""The shapes of the answers about change: what moved a figure, a day under two definitions, a timeline."""

from datetime import date, datetime
from typing import Literal

from pydantic import BaseModel, Field

from services.gateway.models import AsOf, Figure, Level, Standing, Text


class Sums(BaseModel):
    """Households; of a difference, more (or, negative, less)."""

    numerator: int
    denominator: int
    resolved: int
    open: int
    outside_need: int


class Moved(BaseModel):
    """One fact of one household."""

    household: str
    event: str
    type: str
    occurred_on: date
    recorded_at: datetime
    difference: Sums


class Cause(BaseModel):
    cause: str
    name: Text
    difference: Sums
    households: int
    """How many households' facts."""
    facts: int
    moved: list[Moved] | None
    """The facts, from `offset` on, `limit` at most; None for who may not read cases in this area."""


class Explained(Standing):
    """`as_of` is the later point, `since` the earlier; the causes add up to the difference exactly."""

    since: AsOf
    place: str
    place_name: Text | None
    definition: str
    before: Sums
    after: Sums
    difference: Sums
    causes: list[Cause]


class Compared(BaseModel):
    """One cell under two definitions; None where nobody is in need or helped under one of them."""

    place: str
    place_name: Text | None
    dimension: str
    figures: dict[str, Figure | None]
    """Definition -> figure."""
    numerator_difference: int
    denominator_difference: int


class Comparison(Standing):
    level: Level
    definitions: tuple[str, str]
    cells: list[Compared]


class TimelineChange(BaseModel):
    what: Literal["home", "exit", "pair", "coverage"]
    began: bool
    """False: it ended."""
    known_since: datetime
    """When the last fact that makes it so was recorded."""
    value: dict[str, str | None] = Field(alias="is")
    cause: str | None
    """Of a home: what made it so, in the words of `Explained`; a move is another one than a place's new code."""
    name: Text | None
    """The cause in words."""


class TimelineDay(BaseModel):
    on: date
    changes: list[TimelineChange]


class Timeline(Standing):
    household: str
    definition: str
    days: list[TimelineDay]
