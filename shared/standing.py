"""Whether a household takes commands: known, and one of its own. The same in every service. Pure."""

from typing import NamedTuple

from shared.errors import Rejected
from shared.events.base import HouseholdId


class Standing(NamedTuple):
    """Of a household that was registered."""

    voided: bool = False
    """Its registration was voided: it never was."""
    merged_into: HouseholdId | None = None


def require_own(standing: Standing | None, field: str = "data.household") -> None:
    """Raises Rejected household_unknown, household_voided, household_merged with the household that remains."""
    if standing is None:
        raise Rejected("household_unknown", field=field)
    if standing.voided:
        raise Rejected("household_voided", field=field)
    if standing.merged_into is not None:
        raise Rejected("household_merged", field=field, household=standing.merged_into)
