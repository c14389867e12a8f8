"""Two entries of one household become one, and two again. Pure.

What concerns both is an event in each stream: the states of both arrive, and the events of both leave, together.
"""

from services.registry.household import Household
from shared.errors import Rejected
from shared.events.registry import (
    HouseholdAbsorbed,
    HouseholdMerged,
    HouseholdReleased,
    HouseholdUnmerged,
    MergeHousehold,
    RegistryEvent,
    UnmergeHousehold,
)
from shared.standing import require_own


def decide(
    state: Household, other: Household | None, command: MergeHousehold | UnmergeHousehold
) -> list[RegistryEvent]:
    """`other`: the household that remains."""
    if isinstance(command, MergeHousehold):
        return _merge(state, other, command)
    return _unmerge(state, command)


def _merge(state: Household, other: Household | None, command: MergeHousehold) -> list[RegistryEvent]:
    merged = HouseholdMerged(**command.stated())
    if state.link == merged:
        return []
    if command.into == command.household:
        raise Rejected("merges_into_itself", field="data.into")
    require_own(state.standing)
    require_own(other.standing if other else None, "data.into")
    absorbed = HouseholdAbsorbed(occurred_on=command.occurred_on, household=command.into, absorbed=command.household)
    return [merged, absorbed]


def _unmerge(state: Household, command: UnmergeHousehold) -> list[RegistryEvent]:
    """Also out of a household that was itself merged or voided since: otherwise this one could never be set right."""
    unmerged = HouseholdUnmerged(**command.stated())
    if state.link == unmerged:
        return []
    if not isinstance(state.link, HouseholdMerged) or state.link.into != command.out_of:
        raise Rejected("household_not_merged", field="data.out_of")
    if command.occurred_on < state.link.occurred_on:
        raise Rejected("unmerged_before_merged", field="data.occurred_on", day=state.link.occurred_on)
    released = HouseholdReleased(occurred_on=command.occurred_on, household=command.out_of, released=command.household)
    return [unmerged, released]
