"""Questions about change under /v1: why a figure moved, what another definition would say, how a household fared."""

from typing import Annotated

import asyncpg
from fastapi import APIRouter, Path, Query, Response
from pydantic import Field

from services.gateway import access
from services.gateway import changes_models as models
from services.gateway.access import Action
from services.gateway.asof import Asked, Moment
from services.gateway.identity import Reader
from services.gateway.labels import CAUSES, LEVELS
from services.gateway.models import Figure, Standing, text
from services.gateway.queries import coverage, explain, household, standing, timeline
from services.gateway.reads import CoverageAsk, CoverageFilter, Which
from services.gateway.snapshot import Snap
from shared import places
from shared.definitions import DEFAULT
from shared.errors import Rejected
from shared.events.base import Day, HouseholdId
from shared.runtime.auth import Caller

router = APIRouter(prefix="/v1", tags=["questions"])


class From(Asked):
    prefix = "from_"


class To(Asked):
    prefix = "to_"


class ExplainAsk(CoverageFilter):
    from_known_at: Moment = Field(description="The earlier point: known until then, as `known_at` of /v1/coverage.")
    to_known_at: Moment | None = Field(None, description="The later point. Default: now.")
    from_valid_on: Day | None = Field(None, description="Default: the day of `from_known_at`.")
    to_valid_on: Day | None = Field(None, description="Default: the day of `to_known_at`.")
    limit: int = Field(100, ge=0, le=1000, description="Facts listed a cause, at most.")
    offset: int = Field(0, ge=0)

    @property
    def ends(self) -> tuple[Asked, Asked]:
        return (
            From(valid_on=self.from_valid_on, known_at=self.from_known_at),
            To(valid_on=self.to_valid_on, known_at=self.to_known_at),
        )

    def check_for(self, caller: Caller) -> None:
        """Raises Rejected for who may not see figures of that level, and for a place that is not of it."""
        access.may_read(caller, Action.VILLAGES if self.level == "village" else Action.FIGURES, self.place)
        self.check(self.level)
        if len(self.place) != places.LEVELS[self.level]:
            th, en = LEVELS[self.level]
            raise Rejected("field_invalid", field="place", expected=f"a {en}", expected_th=f"พื้นที่ระดับ{th}")


@router.get("/coverage/explain", response_model=models.Explained)
async def explain_coverage(caller: Reader, snap: Snap, ask: Annotated[ExplainAsk, Query()]) -> Response:
    """Why a place's figures moved between two as-of points: the facts that moved them, by cause, adding up exactly.

    `level` is that of the place; without `dimension`, a household counts once for each. Households are named only to
    who may read cases there; all others get counts.
    """

    async def read(connection: asyncpg.Connection, later: Standing) -> models.Explained:
        return await explained(connection, later, caller, ask)

    ask.check_for(caller)
    return await snap.answer(read, ask.ends[1])


async def explained(
    connection: asyncpg.Connection, later: Standing, caller: Caller, ask: ExplainAsk
) -> models.Explained:
    """`later` was read for the later end. Raises Rejected where the earlier cannot be asked for."""
    earlier = await standing.read(connection, ask.ends[0])
    points = (earlier.as_of, later.as_of)
    told = await explain.read(connection, ask.question, *points)
    listed = None
    if _on_cases(caller, ask):
        listed = await explain.facts(connection, ask.question, *points, (ask.limit, ask.offset))
    later = later.model_copy(update={"provisional": later.provisional or earlier.provisional})
    return models.Explained(
        **dict(later),
        since=earlier.as_of,
        place=ask.place,
        place_name=text(places.name_of(ask.place)),
        definition=ask.definition,
        before=_sums(told.before),
        after=_sums(told.after),
        difference=_sums({name: told.after[name] - told.before[name] for name in explain.MEASURES}),
        causes=[_cause(cause, listed) for cause in told.causes],
    )


def _cause(cause: explain.Cause, listed: dict[str, list[explain.Moved]] | None) -> models.Cause:
    return models.Cause(
        cause=cause.name,
        name=text(CAUSES[cause.name]),
        difference=_sums(cause.sums),
        households=cause.households,
        facts=cause.facts,
        moved=None if listed is None else [_moved(one) for one in listed.get(cause.name, [])],
    )


def _on_cases(caller: Caller, ask: ExplainAsk) -> bool:
    try:
        access.may_read(caller, Action.CASES, ask.place)
    except Rejected:
        return False
    return True


def _moved(one: explain.Moved) -> models.Moved:
    told = {name: value for name, value in vars(one).items() if name != "sums"}
    return models.Moved(**told, difference=_sums(one.sums))


def _sums(counted: dict[str, int]) -> models.Sums:
    return models.Sums(
        numerator=counted.get("reached", 0),
        denominator=counted.get("need", 0),
        resolved=counted.get("resolved", 0),
        open=counted.get("unreached", 0),
        outside_need=counted.get("outside_need", 0),
    )


class CompareAsk(CoverageAsk):
    other: Which = Field("coverage-2", description="The definition to compare `definition` with.")


@router.get("/coverage/compare", response_model=models.Comparison)
async def compare(caller: Reader, snap: Snap, ask: Annotated[CompareAsk, Query()]) -> Response:
    """The same cells on the same day under two definitions."""
    access.may_read(caller, Action.VILLAGES if ask.level == "village" else Action.FIGURES, ask.place)
    ask.check(ask.level)

    async def read(connection: asyncpg.Connection, standing: Standing) -> models.Comparison:
        found: dict[tuple[str, str], dict[str, Figure | None]] = {}
        for definition in (ask.definition, ask.other):
            question = ask.model_copy(update={"definition": definition}).question
            for figure in await coverage.read(connection, question, ask.past(standing)):
                cell = found.setdefault((figure.place, figure.dimension), {ask.definition: None, ask.other: None})
                cell[definition] = figure
        cells = [_compared(ask, *where, cell) for where, cell in sorted(found.items())]
        definitions = (ask.definition, ask.other)
        return models.Comparison(**dict(standing), level=ask.level, definitions=definitions, cells=cells)

    return await snap.answer(read, ask.asked)


def _compared(ask: CompareAsk, place: str, dimension: str, cell: dict[str, Figure | None]) -> models.Compared:
    one, other = cell[ask.definition], cell[ask.other]
    return models.Compared(
        place=place,
        place_name=text(places.name_of(place)),
        dimension=dimension,
        figures=cell,
        numerator_difference=(other.numerator if other else 0) - (one.numerator if one else 0),
        denominator_difference=(other.denominator if other else 0) - (one.denominator if one else 0),
    )


class TimelineAsk(Asked):
    definition: Which = DEFAULT


@router.get("/households/{id}/timeline", response_model=models.Timeline)
async def read_timeline(
    caller: Reader, snap: Snap, id_: Annotated[HouseholdId, Path(alias="id")], ask: Annotated[TimelineAsk, Query()]
) -> Response:
    """On which days where a household lives, its exit, who helps it, and what it needs or got, began or ended."""
    access.may_read(caller, Action.CASES)

    async def read(connection: asyncpg.Connection, standing: Standing) -> models.Timeline:
        row = await household.read(connection, id_, *ask.bounds)
        card = household.card(id_, row, past=ask.asked is not None)
        access.may_read(caller, Action.CASES, household.where_now(id_, row) or card["village"] or "")
        days = await timeline.read(connection, id_, ask.definition, ask.past(standing))
        return models.Timeline(**dict(standing), household=id_, definition=ask.definition, days=days)

    return await snap.answer(read, ask.asked)
