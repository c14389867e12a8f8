"""What interventions decides about the case of one household. Pure: no clock, no store.

Help from before the household was registered is taken too: it happened. Whether it answers an assessed need is for
the figures to say, which list it beside as "outside need".
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from shared.errors import Rejected
from shared.events.base import InterventionId
from shared.events.interventions import InterventionDelivered, RecordIntervention


@dataclass(frozen=True)
class Case:
    """The case of one household, folded from its stream."""

    delivered: Mapping[InterventionId, InterventionDelivered] = field(default_factory=dict)


START = Case()


@dataclass(frozen=True)
class Known:
    """What was looked up or made before the decision."""

    household_registered: bool
    intervention: InterventionId
    """The command's own, or a new one."""


def decide(state: Case, command: RecordIntervention, known: Known) -> list[InterventionDelivered]:
    """The event that `command` makes true; none where it says what is so already. Raises Rejected."""
    event = InterventionDelivered(**{**dict(command), "intervention": known.intervention})
    recorded = state.delivered.get(known.intervention)
    if recorded == event:
        return []
    if recorded is not None:
        raise Rejected("intervention_recorded_otherwise", field="data.intervention")
    if not known.household_registered:
        raise Rejected("household_unknown", field="data.household")
    return [event]


def evolve(state: Case, event: InterventionDelivered) -> Case:
    return replace(state, delivered={**state.delivered, event.intervention: event})
