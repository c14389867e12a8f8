"""As of when a question is asked: which day in the world (`valid_on`), as known at which moment (`known_at`)."""

from datetime import date, datetime, time
from typing import Annotated, ClassVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field
from pydantic_core import PydanticCustomError

from services.gateway.models import AsOf, Standing
from shared.errors import Rejected
from shared.events.base import Day, common_era
from shared.thai import BANGKOK


def _moment(text: object) -> datetime | date:
    """A date, or a time with a zone (RFC 3339). Raises PydanticCustomError."""
    if isinstance(text, date):  # read already
        return text
    try:
        assert isinstance(text, str)  # noqa: S101 as every parameter
        told = datetime.fromisoformat(text.replace(" ", "+"))  # an unescaped + arrives as a space
        moment = told if told.tzinfo is not None else date.fromisoformat(text)
    except ValueError:
        raise PydanticCustomError("date_or_moment", "a date, or a time with its zone") from None
    common_era(told.date())
    return moment


Moment = Annotated[datetime | date, BeforeValidator(_moment)]
KNOWN_AT = (
    "Counts what was recorded until then: RFC 3339 with a zone, or a date, to its end in Asia/Bangkok. Default: now."
)
VALID_ON = "Describes this day in the world. Default: the day of `known_at`, in Asia/Bangkok."


class Asked(BaseModel):
    """Two clocks, each asked for or not."""

    model_config = ConfigDict(extra="forbid")
    prefix: ClassVar[str] = ""
    """Of the parameters' names, for what is said of them."""

    valid_on: Day | None = Field(None, description=VALID_ON)
    known_at: Moment | None = Field(None, description=KNOWN_AT)

    @property
    def asked(self) -> "Asked | None":
        """None where neither is given: then the answer is what is counted now."""
        return self if self.valid_on or self.known_at else None

    def past(self, standing: Standing) -> AsOf | None:
        """The point that was asked for, once `standing` was read for it; None: now."""
        return standing.as_of if self.asked else None

    @property
    def bounds(self) -> tuple[date | None, datetime | None]:
        """Valid on and known at, for a query; None for no bound. What is recorded lies before now: a day's end will do
        for today, and no bound for the latest moment."""
        known_at = None if self.known_at is None else _end(self.known_at)
        return self.valid_on or (known_at and known_at.astimezone(BANGKOK).date()), known_at

    def resolve(self, now: datetime, latest: AsOf) -> AsOf:
        """`now` by the clock of what is recorded (queries/standing.py); `latest` is told where nothing is asked.

        Raises Rejected known_at_in_future or date_in_future.
        """
        known_at, today = latest.known_at, now.astimezone(BANGKOK).date()
        if self.known_at is not None:
            known_at = _until(self.known_at, now)
            if known_at > now:
                raise Rejected("known_at_in_future", field=f"{self.prefix}known_at", now=now)
            latest = AsOf(valid_on=known_at.astimezone(BANGKOK).date(), known_at=known_at)
        valid_on = self.valid_on or latest.valid_on
        if valid_on > max(today, latest.valid_on):
            raise Rejected("date_in_future", field=f"{self.prefix}valid_on", today=today)
        return AsOf(valid_on=valid_on, known_at=known_at)


def _end(known_at: datetime | date) -> datetime:
    """A day lasts until its end in Asia/Bangkok."""
    return known_at if isinstance(known_at, datetime) else datetime.combine(known_at, time.max, BANGKOK)


def _until(known_at: datetime | date, now: datetime) -> datetime:
    """A day is known to its end; today, so far."""
    today = not isinstance(known_at, datetime) and known_at == now.astimezone(BANGKOK).date()
    return min(_end(known_at), now) if today else _end(known_at)
