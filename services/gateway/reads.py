"""The questions that can be asked under /v1. Each names who may ask, and answers from one snapshot."""

from typing import Annotated, Any, Literal, get_args

import asyncpg
from fastapi import APIRouter, Path, Query, Response
from pydantic import BaseModel, ConfigDict, Field

from services.gateway import access, counts, models
from services.gateway.access import Action
from services.gateway.asof import Asked
from services.gateway.identity import Reader
from services.gateway.labels import LEVELS
from services.gateway.queries import coverage, freshness, helper, household, pairing, stale, whereabouts, workload
from services.gateway.snapshot import Snap
from shared import places
from shared.definitions import DEFAULT, Rounding
from shared.errors import Rejected
from shared.events.base import HelperId, HouseholdId, VillageCode
from shared.events.codes import Cohort, Dimension, HouseholdClass

router = APIRouter(prefix="/v1", tags=["questions"])

LEVEL_OF: dict[int, models.Level] = {places.LEVELS[level]: level for level in get_args(models.Level)}
"""Digits of a place's code -> its level."""


class Ask(BaseModel):
    """A question's parameters; one that does not exist is refused, so that a slip does not widen what is counted."""

    model_config = ConfigDict(extra="forbid")

    place: str = Field(places.KHON_KAEN, description="Code of a place, or the beginning of one: 40, 4019, 401902, …")

    def check(self, level: models.Level) -> None:
        """A place below the level would be a smaller cell under a larger one's name, and slip past who may see it.

        Raises Rejected field_invalid or place_unknown.
        """
        if len(self.place) > places.LEVELS[level]:
            th, en = LEVELS[level]
            raise Rejected(
                "field_invalid", field="place", expected=f"at most a {en}", expected_th=f"พื้นที่ไม่เล็กกว่าระดับ{th}"
            )
        if not self.place.isdigit() or places.name_of(self.place) is None:
            raise Rejected("place_unknown", field="place", place=self.place[:8])


Which = Literal["coverage-1", "coverage-2"]


class AsOfAsk(Ask, Asked):
    """The place, and as of when."""


class CoverageFilter(Ask):
    """Whom a question about coverage counts."""

    level: models.Level = "province"
    dimension: Dimension | None = None
    cohort: Cohort | None = None
    household_class: HouseholdClass | None = Field(None, alias="class")
    definition: Which = Field(DEFAULT, description="Which definition of coverage; see the figures' own words.")

    @property
    def question(self) -> coverage.Question:
        narrowed = (self.dimension, self.cohort, self.household_class)
        return coverage.Question(self.level, self.place, *narrowed, self.definition)


class CoverageAsk(CoverageFilter, Asked):
    rounding: Rounding | None = Field(None, description="Only this one; both when left out.")


@router.get("/coverage", response_model=models.Coverage)
async def read_coverage(caller: Reader, snap: Snap, ask: Annotated[CoverageAsk, Query()]) -> Response:
    """Of the households in need in each dimension, how many were reached."""
    access.may_read(caller, Action.VILLAGES if ask.level == "village" else Action.FIGURES, ask.place)
    ask.check(ask.level)

    async def read(connection: asyncpg.Connection, standing: models.Standing) -> models.Coverage:
        counted = await coverage.read(connection, ask.question, ask.past(standing))
        figures = [_rounded(figure, ask.rounding) for figure in counted]
        return models.Coverage(**dict(standing), figures=figures, level=ask.level, definition=ask.definition)

    return await snap.answer(read, ask.asked)


def _rounded(figure: models.Figure, rounding: Rounding | None) -> models.Figure:
    if rounding is None or figure.percent is None:
        return figure
    only = models.Percent(**{rounding: getattr(figure.percent, rounding)})
    return figure.model_copy(update={"percent": only})


class VillageAsk(Asked):
    village: VillageCode
    limit: int = Field(1000, ge=1, le=1000, description="Households, at most.")
    after: HouseholdId | None = Field(None, description="The last household of the page before.")


@router.get("/households", response_model=models.Village)
async def read_village(caller: Reader, snap: Snap, ask: Annotated[VillageAsk, Query()]) -> Response:
    """Which households live in a village."""
    access.may_read(caller, Action.CASES, ask.village)

    async def read(connection: asyncpg.Connection, standing: models.Standing) -> models.Village:
        page = (ask.after or "", ask.limit)
        found = await whereabouts.in_village(connection, ask.village, page, ask.past(standing))
        name = models.text(places.name_of(ask.village))
        return models.Village(**dict(standing), village=ask.village, place_name=name, households=found)

    return await snap.answer(read, ask.asked)


@router.get("/households/{id}", response_model=models.Household)
async def read_household(
    caller: Reader, snap: Snap, id_: Annotated[HouseholdId, Path(alias="id")], ask: Annotated[Asked, Query()]
) -> Response:
    """One household's card: what is known, and every fact behind it. Sealed details are never shown."""
    access.may_read(caller, Action.CASES)

    def tell(row: asyncpg.Record, standing: models.Standing) -> models.Household:
        card = household.card(id_, row, past=ask.asked is not None)
        access.may_read(caller, Action.CASES, household.where_now(id_, row) or card["village"] or "")
        return models.Household(**dict(standing), **card)

    return await snap.answer_at_once(lambda pool: household.read(pool, id_, *ask.bounds), tell, ask.asked)


@router.get("/helpers/{id}/households", response_model=models.HelpersHouseholds)
async def read_helper(
    caller: Reader, snap: Snap, id_: Annotated[HelperId, Path(alias="id")], ask: Annotated[Asked, Query()]
) -> Response:
    """Whom a helper looks after, and what they still need."""
    access.may_read(caller, Action.CASES)

    async def read(connection: asyncpg.Connection, standing: models.Standing) -> models.HelpersHouseholds:
        as_of = ask.past(standing)
        who = await helper.who(connection, id_, as_of)
        access.may_read(caller, Action.CASES, await helper.district_now(connection, id_) or who["district"])
        held = await helper.households(connection, id_, as_of)
        return models.HelpersHouseholds(**dict(standing), helper=id_, **who, households=held)

    return await snap.answer(read, ask.asked)


@router.get("/pairing", response_model=models.Pairing)
async def read_pairing(caller: Reader, snap: Snap, ask: Annotated[Asked, Query()]) -> Response:
    """Officers and households of each district: who holds two, one or none, what is spare; who is unpaired or left."""
    access.may_read(caller, Action.FIGURES)

    async def read(connection: asyncpg.Connection, standing: models.Standing) -> models.Pairing:
        as_of = ask.past(standing)
        pairs = await stale.read(connection, as_of=as_of)
        districts = await pairing.read(connection, pairs, as_of=as_of)
        told: dict[str, Any] = {"districts": districts, "province": pairing.total(districts)}
        told["stale_pairs"] = stale.shown(caller, pairs)
        return models.Pairing(**dict(standing), level="district", definitions=counts.PAIRING, **told)

    return await snap.answer(read, ask.asked)


@router.get("/working-groups/workload", response_model=models.Workload)
async def read_workload(caller: Reader, snap: Snap, ask: Annotated[AsOfAsk, Query()]) -> Response:
    """Needs on the desk of each sub-group, and those that have no owner."""
    access.may_read(caller, Action.FIGURES)
    ask.check("subdistrict")

    async def read(connection: asyncpg.Connection, standing: models.Standing) -> models.Workload:
        groups = await workload.read(connection, ask.place, ask.past(standing))
        told: dict[str, Any] = {"place": ask.place, "level": LEVEL_OF[len(ask.place)], "definitions": counts.WORK}
        return models.Workload(**dict(standing), **told, groups=groups)

    return await snap.answer(read, ask.asked)


@router.get("/freshness", response_model=models.Freshness)
async def read_freshness(caller: Reader, snap: Snap) -> Response:
    """How far each service's log is read, whose data is how old, and what could not be read."""
    access.may_read(caller, Action.FIGURES)

    async def read(connection: asyncpg.Connection, standing: models.Standing) -> models.Freshness:
        return models.Freshness(
            **dict(standing),
            services=await freshness.services(connection),
            agencies=await freshness.agencies(connection),
            trouble=await freshness.trouble(connection),
        )

    return await snap.answer(read)
