"""The bricks of the contract: how a message, an identifier, a date and an amount look."""

import re
from datetime import date
from decimal import Decimal
from typing import Annotated, Any, ClassVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr
from pydantic_core import PydanticCustomError

EARLIEST_YEAR = 1900
PERSONAL_LENGTH = 200
BUDDHIST_ERA = 543
"""Years from the common era to the Buddhist era: 2019 is พ.ศ. 2562."""


class Message(BaseModel):
    """Frozen, strict, closed: a field that nobody declared is an error, not a guess."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid", use_attribute_docstrings=True)

    def stated(self) -> dict[str, Any]:
        """Its fields by name; `dict` of the message itself takes many times as long."""
        return dict(self.__dict__)


def common_era(day: date) -> date:
    """The day itself. Raises PydanticCustomError buddhist_year or date_too_early."""
    if day.year >= EARLIEST_YEAR + BUDDHIST_ERA:
        raise PydanticCustomError("buddhist_year", "the year {year} looks like the Buddhist era", {"year": day.year})
    if day.year < EARLIEST_YEAR:
        raise PydanticCustomError("date_too_early", "the year {year} is before 1900", {"year": day.year})
    return day


Day = Annotated[date, AfterValidator(common_era)]
"""A calendar day in Asia/Bangkok, common era, ISO 8601 (YYYY-MM-DD)."""


_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f]")
"""Unicode's general category Cc, which is closed (Unicode Standard 23.1)."""


def _plain(text: str) -> str:
    if _CONTROL.search(text):
        raise PydanticCustomError("control_character", "control characters are not allowed")
    return text


def _plain_secret(secret: SecretStr) -> SecretStr:
    text = secret.get_secret_value()
    _plain(text)
    if not 0 < len(text) <= PERSONAL_LENGTH:
        raise PydanticCustomError("text_length", "between 1 and {limit} characters", {"limit": PERSONAL_LENGTH})
    return secret


Personal = Annotated[SecretStr, AfterValidator(_plain_secret)]
"""A personal detail in clear. It occurs in commands only, is sealed before a decision and never printed."""

CommandId = Annotated[str, Field(min_length=1, max_length=100, pattern=r"^[\x21-\x7e]+$")]
"""The agency's own id of a command: printable ASCII, unique within the agency, no personal data in it."""

_ID = r"_[0-9a-z]{20}$"
HouseholdId = Annotated[str, Field(pattern="^hh" + _ID)]
HelperId = Annotated[str, Field(pattern="^hp" + _ID)]
PersonId = Annotated[str, Field(pattern="^pr" + _ID)]
InterventionId = Annotated[str, Field(pattern="^iv" + _ID)]
ExitId = Annotated[str, Field(pattern="^ex" + _ID)]

DistrictCode = Annotated[str, Field(pattern=r"^[0-9]{4}$")]
"""Province and district, two digits each, as the Department of Provincial Administration numbers them: 4019."""

VillageCode = Annotated[str, Field(pattern=r"^[0-9]{6}(0[1-9]|[1-9][0-9])$")]
"""Province, district, subdistrict, village, two digits each. Codes are used again over the years, so a reference
to a village is read with the `occurred_on` of the event that makes it."""

Slug = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,58}[a-z0-9]$")]
"""Short name of an agency, a provider or a fund: lower-case letters, digits, hyphens."""

Version = Annotated[int, Field(ge=1)]
"""Which event of a stream: its place in it, from 1 on, as the receipt of its command says."""

OrderNumber = Annotated[str, Field(pattern=r"^[0-9]{1,6}/[0-9]{4}$")]
"""Number of a written order as printed, Buddhist year behind the stroke: 3091/2562 (document B)."""

Baht = Annotated[Decimal, Field(ge=0, max_digits=12, decimal_places=2)]
"""An amount in baht, at most two decimals, never negative; in JSON a string or a number."""


class Command(Message):
    """A wish. `type` names it with its version; agencies hold on to the versions they know."""

    type: ClassVar[str]
    occurred_on: Day
    """When it was, or is to be, true in the world; not when it was typed."""


class Event(Message):
    """A fact that its owning service accepted. Never changed, never removed."""

    type: ClassVar[str]
    occurred_on: Day
    """When it was true in the world; when it was recorded is in the envelope."""
