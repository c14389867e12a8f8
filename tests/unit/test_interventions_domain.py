"""Given what was recorded of a case, when asked this, then that is what happens."""

from datetime import date, timedelta
from decimal import Decimal
from functools import reduce

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.interventions.domain import START, Case, Known, decide, evolve
from shared.entries import Author
from shared.errors import Rejected
from shared.events.codes import Dimension, ExitReason, Item, Level, VoidReason
from shared.events.interventions import (
    CaseExitCorrected,
    CaseExited,
    CaseExitVoided,
    CorrectExit,
    CorrectIntervention,
    ExitCase,
    ExitCommand,
    InterventionCorrected,
    InterventionDelivered,
    InterventionsCommand,
    InterventionsEvent,
    InterventionVoided,
    RecordIntervention,
    Verified,
    VoidExit,
    VoidIntervention,
)
from shared.standing import Standing

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


CDD, OWN = Author("cdd"), Standing()


def after(*given: InterventionsEvent) -> Case:
    return reduce(lambda state, event: evolve(state, event, "cdd"), given, START)


def when(
    command: InterventionsCommand,
    *given: InterventionsEvent,
    household: Standing | None = OWN,
    author: Author = CDD,
    intervention: str = HELP,
) -> list[InterventionsEvent]:
    return [*decide(after(*given), command, Known(household, author, intervention))]


def refusal(
    command: InterventionsCommand,
    *given: InterventionsEvent,
    household: Standing | None = OWN,
    author: Author = CDD,
) -> tuple[str, str | None]:
    with pytest.raises(Rejected) as no:
        when(command, *given, household=household, author=author)
    return no.value.code, no.value.field


def test_help_for_a_registered_household_is_recorded() -> None:
    assert when(record) == [delivered]


def test_the_same_help_under_another_id_is_help_again() -> None:
    assert when(record, delivered, intervention=OTHER) == [delivered.model_copy(update={"intervention": OTHER})]


def test_recording_the_same_again_adds_nothing_even_while_the_household_is_not_known_here() -> None:
    assert when(record.model_copy(update={"amount_baht": Decimal(700)}), delivered, household=None) == []


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
        when(record, household=None)
    assert no.value.field == "data.household"
    assert no.value.problem.retryable


# -- correcting and voiding --------------------------------------------------------------------------------------

correct = CorrectIntervention(**{**dict(record), "intervention": HELP, "level": Level.CONTINUING})
corrected = InterventionCorrected(**dict(correct))
void = VoidIntervention(occurred_on=DAY, household=HOUSE, intervention=HELP, reason=VoidReason.ENTERED_TWICE)
voided = InterventionVoided(**dict(void))
changes = pytest.mark.parametrize("command", [correct, void], ids=["correct", "void"])


def test_an_intervention_is_corrected_and_recording_it_as_corrected_adds_nothing() -> None:
    assert when(correct, delivered) == [corrected]
    assert when(correct, delivered, corrected) == []
    assert when(record.model_copy(update={"level": Level.CONTINUING}), delivered, corrected) == []
    assert refusal(record, delivered, corrected) == ("intervention_recorded_otherwise", "data.intervention")


def test_an_intervention_is_voided_once_and_stays_so() -> None:
    assert when(void, delivered) == [voided]
    assert when(void, delivered, voided) == []
    otherwise = void.model_copy(update={"reason": VoidReason.NEVER_HAPPENED})
    for command in (correct, record, otherwise):
        assert refusal(command, delivered, voided) == ("entry_voided", "data.intervention")


@changes
def test_what_was_never_recorded_is_not_changed(command: InterventionsCommand) -> None:
    other = delivered.model_copy(update={"intervention": OTHER})
    assert refusal(command, other) == ("entry_unknown", "data.intervention")


@changes
def test_only_who_recorded_it_or_the_secretariat_changes_it(command: InterventionsCommand) -> None:
    with pytest.raises(Rejected, match="not_the_publisher") as no:
        when(command, delivered, author=Author("red-cross"))
    assert (no.value.problem.status, no.value.facts) == (403, {"agency": "cdd"})
    assert len(when(command, delivered, author=Author("red-cross", secretariat=True))) == 1


@pytest.mark.parametrize("command", [record, correct, void], ids=["record", "correct", "void"])
@pytest.mark.parametrize(
    ("household", "code"),
    [(Standing(voided=True), "household_voided"), (Standing(merged_into=HOUSE), "household_merged")],
)
def test_a_household_that_is_none_of_its_own_takes_nothing(
    command: InterventionsCommand, household: Standing, code: str
) -> None:
    given_ = () if command is record else (delivered,)
    assert refusal(command, *given_, household=household) == (code, "data.household")


# -- promises ----------------------------------------------------------------------------------------------------

days, which = st.integers(-2, 2).map(lambda n: DAY + timedelta(days=n)), st.sampled_from([HELP, OTHER])
told = {"occurred_on": days, "item": st.sampled_from(Item), "level": st.sampled_from(Level), "intervention": which}
fixed = {"household": st.just(HOUSE), "dimensions": st.just((Dimension.LIVING,)), "provider": st.just("red-cross")}
reasons, whys = st.sampled_from(VoidReason), st.sampled_from(ExitReason)
leaving = st.sampled_from(["ex_" + "1" * 20, "ex_" + "2" * 20])
early = Verified(community=DAY - timedelta(days=9), subdistrict=DAY - timedelta(days=9), district=DAY)
exit_ = {"occurred_on": days, "household": st.just(HOUSE), "exit": leaving, "verified": st.just(early)}
commands = st.one_of(
    st.builds(RecordIntervention, **told, **fixed),
    st.builds(CorrectIntervention, **told, **fixed),
    st.builds(VoidIntervention, occurred_on=days, household=st.just(HOUSE), intervention=which, reason=reasons),
    st.builds(ExitCase, **exit_, reason=whys),
    st.builds(CorrectExit, **exit_, reason=whys),
    st.builds(VoidExit, occurred_on=days, household=st.just(HOUSE), exit=leaving, reason=reasons),
)
events = st.one_of(
    st.builds(InterventionDelivered, **told, **fixed),
    st.builds(InterventionCorrected, **told, **fixed),
    st.builds(InterventionVoided, occurred_on=days, household=st.just(HOUSE), intervention=which, reason=reasons),
    st.builds(CaseExited, **exit_, reason=whys),
    st.builds(CaseExitCorrected, **exit_, reason=whys),
    st.builds(CaseExitVoided, occurred_on=days, household=st.just(HOUSE), exit=leaving, reason=reasons),
)
standings = st.sampled_from([None, Standing(), Standing(), Standing(voided=True), Standing(merged_into=HOUSE)])
authors = st.sampled_from([CDD, CDD, Author("red-cross")])


@given(st.lists(st.tuples(commands, standings, authors), max_size=12))
def test_deciding_the_same_command_twice_adds_nothing(
    asked: list[tuple[InterventionsCommand, Standing | None, Author]],
) -> None:
    state = START
    for command, household, author in asked:
        named = command.exit if isinstance(command, ExitCommand) else command.intervention
        known = Known(household, author, named or HELP)
        try:
            decided = decide(state, command, known)
        except Rejected:
            continue
        for event in decided:
            state = evolve(state, event, author.agency)
        assert decide(state, command, known) == []


@given(st.lists(events, max_size=12))
def test_any_events_in_any_order_make_a_state(history: list[InterventionsEvent]) -> None:
    assert isinstance(after(*history), Case)
