"""The page of what changed: one figure of coverage at two points, and between them the causes that add up to it."""

from datetime import date, timedelta

import asyncpg
from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse
from pydantic import BaseModel, ConfigDict, ValidationError

from services.gateway import changes
from services.gateway.changes import ExplainAsk, To
from services.gateway.changes_models import Explained
from services.gateway.labels import CLOCKS, DIMENSIONS, ENDS, MEASURES
from services.gateway.pages import TEMPLATES, visitor
from services.gateway.reads import LEVEL_OF
from services.gateway.snapshot import taken
from shared import places
from shared.errors import Rejected
from shared.events.base import Day
from shared.events.codes import Cohort, Dimension
from shared.runtime import problems
from shared.runtime.auth import Caller
from shared.runtime.postgres import ABSENT, TRANSIENT
from shared.thai import BANGKOK

LISTED = 50
"""Facts shown of a cause, at most; the API lists all."""

WORDS = {
    "areas": {code: places.name_of(code) for code in (places.KHON_KAEN, *places.districts_of(places.KHON_KAEN))},
    "dimensions": DIMENSIONS,
    "ends": ENDS,
    "clocks": CLOCKS,
    "measures": MEASURES,
    "listed": LISTED,
}
"""What the page calls things."""

router = APIRouter(include_in_schema=False)


class ChangesAsk(BaseModel):
    """What the form sends. A day of knowing lasts until its end; without days, it is the month until now."""

    model_config = ConfigDict(extra="forbid")

    place: str = places.KHON_KAEN
    dimension: Dimension = Dimension.WELFARE
    from_valid_on: Day | None = None
    from_known_at: Day | None = None
    to_valid_on: Day | None = None
    to_known_at: Day | None = None

    @property
    def until(self) -> To:
        return To(valid_on=self.to_valid_on, known_at=self.to_known_at)

    def since(self, latest: date) -> ExplainAsk:
        """Of the households that the front page counts. Where no day is given, from a month before `latest`."""
        told = self.model_dump() | {"from_known_at": self.from_known_at or month_before(latest)}
        level = LEVEL_OF.get(len(self.place), "province")  # what is no level's code is refused there
        return ExplainAsk(**told, level=level, cohort=Cohort.BMN_2561, limit=LISTED)


@router.get("/changes")
async def changed(request: Request) -> Response:
    """Works without a script: the form asks by GET, and what is wrong with it is said above it."""
    caller = visitor(request)
    if isinstance(caller, Response):
        return caller
    sent = {name: value for name, value in request.query_params.items() if value}
    told, problem, status = None, None, 200
    try:
        told = await _told(request.app.state.pool, caller, ChangesAsk.model_validate(sent))
    except (ValidationError, Rejected) as error:
        refusal = error if isinstance(error, Rejected) else problems.from_validation(error)
        problem, status = problems.document(refusal), refusal.problem.status
    except (*TRANSIENT, *ABSENT, asyncpg.UndefinedColumnError):
        status = 503
    simulated = request.app.state.settings.clock == "simulated"
    page = TEMPLATES.get_template("changes.html")
    form = _form(sent, told)
    return HTMLResponse(page.render(told=told, problem=problem, form=form, simulated=simulated, **WORDS), status)


async def _told(pool: asyncpg.Pool, caller: Caller, ask: ChangesAsk) -> Explained:
    """Raises Rejected."""
    async with taken(pool, ask.until) as (connection, later):
        asked = ask.since(later.as_of.valid_on)
        asked.check_for(caller)
        return await changes.explained(connection, later, caller, asked)


def month_before(day: date) -> date:
    """The same day of the month before, or that month's last: 2020-03-31 -> 2020-02-29."""
    last = day.replace(day=1) - timedelta(days=1)
    return last.replace(day=min(day.day, last.day))


def _form(sent: dict[str, str], told: Explained | None) -> dict[str, str]:
    """What stands in the form's fields: what was sent, and what was taken for it where nothing was."""
    form = {"place": places.KHON_KAEN, "dimension": Dimension.WELFARE.value} | sent
    if told and told.since.known_at:
        form.setdefault("from_known_at", told.since.known_at.astimezone(BANGKOK).date().isoformat())
    return form
