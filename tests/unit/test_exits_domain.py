"""When a household may leave the programme, on whose word, and who may change that."""

from datetime import date, timedelta
from functools import reduce

import pytest

from services.interventions.domain import START, Known, decide, evolve
from shared.entries import Author
from shared.errors import Rejected
from shared.events.codes import ExitReason, VoidReason
from shared.events.interventions import (
    CaseExitCorrected,
    CaseExited,
    CaseExitVoided,
    CorrectExit,
    ExitCase,
    ExitCommand,
    ExitEvent,
    Verified,
    VoidExit,
)
from shared.standing import Standing

HOUSE, EXIT, OTHER = "hh_" + "h" * 20, "ex_" + "e" * 20, "ex_" + "o" * 20
DAY = date(2020, 1, 31)
BEFORE, AFTER = DAY - timedelta(days=1), DAY + timedelta(days=1)
VERIFIED = Verified(community=BEFORE, subdistrict=BEFORE, district=DAY)

leave = ExitCase(occurred_on=DAY, household=HOUSE, reason=ExitReason.LIFTED_OUT, verified=VERIFIED)
left = CaseExited(**{**dict(leave), "exit": EXIT})
correct = CorrectExit(**{**dict(left), "reason": ExitReason.MOVED_AWAY})
corrected = CaseExitCorrected(**dict(correct))
void = VoidExit(occurred_on=DAY, household=HOUSE, exit=EXIT, reason=VoidReason.NEVER_HAPPENED)
voided = CaseExitVoided(**dict(void))

CDD, OWN = Author("cdd"), Standing()


def when(
    command: ExitCommand,
    *given: ExitEvent,
    household: Standing | None = OWN,
    author: Author = CDD,
    entry: str = EXIT,
    registered: date | None = BEFORE,
) -> list[object]:
    case = reduce(lambda state, event: evolve(state, event, "cdd"), given, START)
    return [*decide(case, command, Known(household, author, entry, registered))]


def refusal(command: ExitCommand, *given: ExitEvent, **how: object) -> tuple[str, str | None]:
    with pytest.raises(Rejected) as no:
        when(command, *given, **how)  # type: ignore[arg-type]
    return no.value.code, no.value.field


def test_a_household_leaves_and_the_same_again_adds_nothing() -> None:
    assert when(leave) == [left]
    assert when(leave, left, household=None) == []


@pytest.mark.parametrize(
    "other",
    [
        {"occurred_on": AFTER},
        {"reason": ExitReason.DISSOLVED},
        {"verified": VERIFIED.model_copy(update={"subdistrict": DAY})},
    ],
)
def test_the_same_id_with_other_details_is_refused(other: dict[str, object]) -> None:
    assert refusal(leave.model_copy(update=other), left) == ("exit_recorded_otherwise", "data.exit")


@pytest.mark.parametrize(
    ("late", "level", "limit"),
    [
        ({"district": AFTER}, "district", DAY),
        ({"subdistrict": AFTER}, "subdistrict", DAY),
        ({"community": DAY}, "community", BEFORE),
        ({"community": AFTER, "subdistrict": DAY}, "community", DAY),
    ],
)
def test_each_level_verifies_in_its_turn_and_by_the_day_of_the_exit(
    late: dict[str, date], level: str, limit: date
) -> None:
    told = {"verified": VERIFIED.model_copy(update=late)}
    for command, given in ((leave, ()), (correct, (left,))):
        assert refusal(command.model_copy(update=told), *given) == ("verified_too_late", f"data.verified.{level}")
    with pytest.raises(Rejected) as no:
        when(leave.model_copy(update=told))
    assert no.value.facts == {"day": limit}


def test_a_household_leaves_again_but_not_twice_on_one_day() -> None:
    again = leave.model_copy(update={"occurred_on": AFTER})
    assert len(when(again, left, entry=OTHER)) == 1
    assert refusal(leave, left, entry=OTHER) == ("exited_that_day", "data.occurred_on")
    assert len(when(leave, left, voided, entry=OTHER)) == 1
    second = left.model_copy(update={"exit": OTHER, "occurred_on": AFTER})
    assert refusal(correct.model_copy(update={"occurred_on": AFTER}), left, second) == (
        "exited_that_day",
        "data.occurred_on",
    )
    assert when(correct, left, second) == [corrected]


def test_nobody_leaves_before_they_were_registered() -> None:
    """What was recorded before the registration was corrected can still be voided, and repeated."""
    for command, given in ((leave, ()), (correct, (left,))):
        assert refusal(command, *given, registered=AFTER) == ("before_registration", "data.occurred_on")
        assert len(when(command, *given, registered=DAY)) == 1
    assert when(void, left, registered=AFTER) == [voided]
    assert when(leave, left, registered=AFTER) == []


def test_an_exit_is_corrected_once_and_voided_once() -> None:
    assert when(correct, left) == [corrected]
    assert when(correct, left, corrected) == []
    assert when(leave.model_copy(update={"reason": ExitReason.MOVED_AWAY}), left, corrected) == []
    assert when(void, left) == [voided]
    assert when(void, left, voided) == []
    for command in (correct, leave, void.model_copy(update={"reason": VoidReason.ENTERED_TWICE})):
        assert refusal(command, left, voided) == ("entry_voided", "data.exit")


@pytest.mark.parametrize("command", [correct, void], ids=["correct", "void"])
def test_only_who_recorded_it_or_the_secretariat_changes_it(command: ExitCommand) -> None:
    assert refusal(command) == ("entry_unknown", "data.exit")
    assert refusal(command, left, author=Author("red-cross")) == ("not_the_publisher", "data.exit")
    assert len(when(command, left, author=Author("red-cross", secretariat=True))) == 1


@pytest.mark.parametrize(
    ("household", "code"),
    [
        (None, "household_unknown"),
        (Standing(voided=True), "household_voided"),
        (Standing(merged_into=HOUSE), "household_merged"),
    ],
)
def test_a_household_that_is_none_of_its_own_leaves_nothing(household: Standing | None, code: str) -> None:
    for command, given in ((leave, ()), (correct, (left,)), (void, (left,))):
        assert refusal(command, *given, household=household) == (code, "data.household")
