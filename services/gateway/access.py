"""Who may do what: one table, asked by one function."""

from enum import StrEnum

from shared.errors import Rejected
from shared.events.catalog import COMMANDS
from shared.runtime.auth import Caller, Role


class Action(StrEnum):
    FIGURES = "figures"
    """Sums of many households, down to the subdistrict; freshness; what a working group has on its desk."""
    VILLAGES = "villages"
    """Sums of one village: two households on average (facts of document A: 1,174 in 577), so nearly a person."""
    CASES = "cases"
    """One household's card, or the households of one helper."""


ALL = frozenset(Role)
ON_CASES = frozenset({Role.AGENCY, Role.OFFICER, Role.SECRETARIAT, Role.AUDITOR})
"""Those who work on single households, and the auditor who checks them."""

READERS: dict[Action, frozenset[Role]] = {Action.FIGURES: ALL, Action.VILLAGES: ON_CASES, Action.CASES: ON_CASES}

_OFFICE = frozenset({Role.AGENCY, Role.SECRETARIAT})
_FIELD = _OFFICE | {Role.OFFICER}
_FIELD_COMMANDS = frozenset(
    {
        "AssessNeeds.v1",
        "CorrectAssessment.v1",
        "RecordIntervention.v1",
        "CorrectIntervention.v1",
        "VoidIntervention.v1",
    }
)
"""What a paired officer does in the house (document B: draw the life compass, manage): assess, and bring help; and
setting right what was recorded of it, which only who published it may: that its service knows. That a household exits
is not an officer's alone to say."""

PUBLISHERS: dict[str, frozenset[Role]] = {
    type_name: _FIELD if type_name in _FIELD_COMMANDS else _OFFICE
    for commands in COMMANDS.values()
    for type_name in commands
}
"""Command type -> roles that may send it. A type that is not here is refused by its service, not by the
gateway; and so is what the secretariat alone may, which is to recode."""


def may_read(caller: Caller, action: Action, place: str | None = None) -> None:
    """Passes when the role has the right and `place`, where one is given, lies in the caller's districts.

    `place` is a code of a province, district, subdistrict or village. A route that learns it only from what it read
    asks twice: by role before, by place after. Raises Rejected forbidden, cell_too_small or outside_area.
    """
    if caller.role not in READERS[action]:
        raise Rejected("cell_too_small" if action is Action.VILLAGES else "forbidden", role=caller.role)
    if place is not None and action is not Action.FIGURES:
        _in_area(caller, place)


def may_publish(caller: Caller, service: str, type_name: str | None, *places: str) -> None:
    """Passes when the role may send commands of that type about all `places`; with None, every type of the service.

    A type that the service does not know passes: the service says so.

    Raises Rejected forbidden or outside_area.
    """
    wanted = COMMANDS[service] if type_name is None else {type_name} & COMMANDS[service].keys()
    if caller.role not in _FIELD or any(caller.role not in PUBLISHERS[name] for name in wanted):
        raise Rejected("forbidden", role=caller.role)
    for place in places or (None,):
        _in_area(caller, place)


def _in_area(caller: Caller, place: str | None) -> None:
    """A caller without districts in the token serves the whole province; no place means everywhere."""
    if caller.districts and (place is None or place[:4] not in caller.districts):
        raise Rejected("outside_area", districts=", ".join(caller.districts))
