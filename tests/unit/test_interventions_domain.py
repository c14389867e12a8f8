"""Given what was recorded of a case, when asked this, then that is what happens."""

from datetime import date, timedelta
from decimal import Decimal
from functools import reduce

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.interventions.domain import START, Case, Known, decide, evolve
from shared.errors import Rejected
from shared.events.codes import Dimension, Item, Level
from shared.events.interventions import InterventionDelivered, RecordIntervention

HOUSE, HELP, OTHER = "hh_" + "h" * 20, "iv_" + "i" * 20, "iv_" + "o" * 20
DAY = date(2020, 1, 31)

record = RecordIntervention(
    occurred_on=DAY,
    household=HOUSE,
    item=Item.RELIEF_BAG,
    dimensions=(Dimension.LIVING,),
    level=Level.INITIAL,
    amount_baht=Decimal("700.00"),
    provider="red-cross",
)
delivered = InterventionDelivered(**{**dict(record), "intervention": HELP})


def when(
    command: RecordIntervention, *given: InterventionDelivered, registered: bool = True, intervention: str = HELP
) -> list[InterventionDelivered]:
    return decide(reduce(evolve, given, START), command, Known(registered, intervention))


def test_help_for_a_registered_household_is_recorded() -> None:
    assert when(record) == [delivered]


def test_the_same_help_under_another_id_is_help_again() -> None:
    assert when(record, delivered, intervention=OTHER) == [delivered.model_copy(update={"intervention": OTHER})]


def test_recording_the_same_again_adds_nothing_even_while_the_household_is_not_known_here() -> None:
    assert when(record.model_copy(update={"amount_baht": Decimal(700)}), delivered, registered=False) == []


@pytest.mark.parametrize(
    "other",
    [
        {"occurred_on": DAY + timedelta(days=1)},
        {"item": Item.WHEELCHAIR},
        {"dimensions": (Dimension.LIVING, Dimension.HEALTH)},
        {"level": Level.RESOLVED},
        {"amount_baht": Decimal(701)},
        {"amount_baht": None},
        {"provider": "cdd"},
        {"fund": "rural-children-fund"},
    ],
)
def test_the_same_id_with_other_details_is_refused(other: dict[str, object]) -> None:
    with pytest.raises(Rejected, match="intervention_recorded_otherwise") as no:
        when(record.model_copy(update=other), delivered)
    assert no.value.field == "data.intervention"


def test_help_for_a_household_that_nobody_registered_is_refused() -> None:
    with pytest.raises(Rejected, match="household_unknown") as no:
        when(record, registered=False)
    assert no.value.field == "data.household"
    assert no.value.problem.retryable


commands = st.builds(
    lambda item, level, n: record.model_copy(
        update={"item": item, "level": level, "occurred_on": DAY + timedelta(days=n)}
    ),
    st.sampled_from(Item),
    st.sampled_from(Level),
    st.integers(-2, 2),
)


@given(st.lists(st.tuples(commands, st.booleans(), st.sampled_from([HELP, OTHER])), max_size=12))
def test_deciding_the_same_command_twice_adds_nothing(asked: list[tuple[RecordIntervention, bool, str]]) -> None:
    state = START
    for command, registered, intervention in asked:
        known = Known(registered, intervention)
        try:
            state = reduce(evolve, decide(state, command, known), state)
        except Rejected:
            continue
        assert decide(state, command, known) == []


@given(st.lists(st.tuples(commands, st.sampled_from([HELP, OTHER])), max_size=12))
def test_any_events_in_any_order_make_a_state(history: list[tuple[RecordIntervention, str]]) -> None:
    events = [InterventionDelivered(**{**dict(command), "intervention": help_}) for command, help_ in history]
    assert isinstance(reduce(evolve, events, START), Case)
