"""The shapes of the answers. Every set of figures says what it counts, as of when, and how fresh it is."""

from datetime import date, datetime
from typing import Any, Literal, overload

from pydantic import BaseModel, Field

from services.gateway.labels import Label
from shared.definitions import Rounding
from shared.events.codes import ExitReason
from shared.places import Name

Level = Literal["province", "district", "subdistrict", "village"]


class Text(BaseModel):
    th: str
    en: str


@overload
def text(name: Name | Label) -> Text: ...
@overload
def text(name: None) -> None: ...
def text(name: Name | Label | None) -> Text | None:
    return name and Text(th=name.th, en=name.en)


class Definition(Text):
    id: str


class Counted(Definition):
    of: str | None
    """The count that it is a part of, its denominator; None for one that stands for itself."""


class AsOf(BaseModel):
    """A day in the world, and what was known of it at a moment."""

    valid_on: date
    """Which day in the world is described."""
    known_at: datetime | None
    """What was recorded until then is counted; None while nothing is."""


class Standing(BaseModel):
    """Where in the log an answer stands."""

    as_of: AsOf
    position: dict[str, int]
    """Service -> how many of its records have been read, over all partitions."""
    newest_fact: datetime | None
    """`recorded_at` of the newest fact that is counted."""
    watermark: datetime | None
    """Everything recorded before this has been read; None until every service has said so."""
    provisional: bool
    """True when facts recorded by `as_of.known_at` may still be counted: unless that lies before the watermark, and
    before whatever has been read and waits to be folded. An answer that is not provisional never changes again."""
    stale: bool
    """True when the services have said nothing for longer than the limit."""
    awaits_rebuild: bool
    """True while these are figures as another version of Siao made them: nothing that came since is counted, until
    `./siao rebuild` has made them anew."""
    generation: int
    """Of the tables: another number once they were made anew, perhaps by other rules."""


class Percent(BaseModel):
    half_up: str | None = None
    truncated: str | None = None


class Figure(BaseModel):
    """How many households of those in need were reached. The percentage is made last and never stored."""

    place: str
    place_name: Text | None
    dimension: str
    cohort: str | None
    household_class: str | None = Field(serialization_alias="class")
    numerator: int
    denominator: int
    numerator_definition: Definition
    denominator_definition: Definition
    percent: Percent | None
    """None where nobody is in need."""
    rounding: Rounding
    """Which of the percentages the definition means."""
    resolved: int
    """No longer in need, by help that resolved it, by a later assessment or by an exit."""
    open: int
    """In need still, and not reached at all."""
    outside_need: int
    """Helped without an assessed need, or before the programme; beside the figure, not in it."""


class Coverage(Standing):
    figures: list[Figure]
    level: Level
    definition: str


class PairingSums(BaseModel):
    helpers: int
    households: int
    holding_two: int
    holding_one: int
    holding_none: int
    capacity: int
    spare: int
    unpaired: int
    exited: int

    stale_pairs: int
    """Pairs of a household that lives here now with an officer of the district where it lived before."""


class DistrictPairing(PairingSums):
    place: str
    place_name: Text | None


class StalePair(BaseModel):
    """An officer's pair with a household that lives in another district now: to be ended, and the household paired."""

    household: str
    helper: str
    role: str
    helper_district: str
    district: str
    """Where the household lives now."""
    since: date


class Pairing(Standing):
    level: Level
    definitions: dict[str, Counted]
    """Of each count."""
    districts: list[DistrictPairing]
    province: PairingSums
    """Sums. Spare places of one district never hide the unpaired of another: both stand here, neither is netted."""
    stale_pairs: list[StalePair]
    """Only those whose household the caller may look at; all are counted."""


class Work(BaseModel):
    need: int
    """The denominator: every need that was ever assessed."""
    open: int
    """Needs that nobody has met in any way."""
    unresolved: int
    """Needs that last, reached or not: initial help empties nobody's desk."""
    done: int
    """Needs that last no longer."""


class DeskDimension(Work):
    dimension: str
    name: Text


class Desk(Work):
    group: str | None
    """None: needs of dimensions that no sub-group leads."""
    name: Text
    dimensions: list[DeskDimension]


class Workload(Standing):
    place: str
    level: Level
    definitions: dict[str, Counted]
    """Of each count."""
    groups: list[Desk]


class ServiceLag(BaseModel):
    service: str
    watermark: datetime | None
    heard_at: datetime
    """When the projections last heard from the service, by the real clock."""
    lag: int
    """Records that the service says are in its log and that are not folded yet."""


class AgencyFreshness(BaseModel):
    agency: str
    recorded_at: datetime
    occurred_on: date
    events: int


class Trouble(BaseModel):
    quarantined: int
    """Records that could not be read or trusted at all."""
    parked: int
    """Records that wait behind a gap, or beside another of the same version."""
    incomplete_households: int


class Freshness(Standing):
    services: list[ServiceLag]
    agencies: list[AgencyFreshness]
    trouble: Trouble


class Need(BaseModel):
    """One dimension of one household, now."""

    dimension: str
    in_need: bool
    reached: bool
    resolved: bool
    outside_need: bool


class Pair(BaseModel):
    helper: str
    role: str


class Village(Standing):
    """Who is counted in a village."""

    village: str
    place_name: Text | None
    households: list[str]
    """By id. As many as `limit` allows, from behind `after` on."""


class HistoryEntry(BaseModel):
    recorded_at: datetime
    occurred_on: date
    type: str
    stream: str
    version: int
    agency: str
    data: dict[str, Any]
    """As published; what is sealed is shown as a mark."""


class Exit(BaseModel):
    reason: ExitReason
    name: Text
    since: date
    """The first day on which it was in the programme no more."""


class Household(Standing):
    household: str
    merged_into: str | None
    """The household that this one turned out to be, at the end of all merges. Place, class, exit, needs and pairs are
    then that one's; streams and history are this one's own."""
    absorbed: list[str]
    """Those that turned out to be this one, and are counted as it."""
    voided: Text | None
    """Why it never was a household, where its registration was voided."""
    village: str | None
    place_name: Text | None
    cohort: str | None
    household_class: str | None = Field(serialization_alias="class")
    exited: Exit | None
    """None while it is in the programme, and again once an assessment found it there after an exit."""
    needs: list[Need]
    pairs: list[Pair]
    incomplete: bool
    """True when a record of this household, or of one that is merged with it, waits or could not be read: what stands
    here may lack it."""
    streams: dict[str, int]
    history: list[HistoryEntry]


class HelpersHousehold(BaseModel):
    household: str
    role: str
    district: str
    since: date
    needs: list[Need]


class HelpersHouseholds(Standing):
    helper: str
    kind: str
    district: str
    place_name: Text | None
    office: str
    households: list[HelpersHousehold]
