"""Given who is enrolled, when asked this, then that is what happens."""

from dataclasses import replace
from datetime import date, timedelta
from functools import reduce

import pytest

from services.pairing.helpers import (
    HELPER_START,
    Days,
    HelperEvent,
    HelperLoad,
    HelperState,
    KnownHelper,
    decide_helper,
    evolve_helper,
)
from shared.entries import Author
from shared.errors import Rejected
from shared.events.codes import HelperKind, VoidReason
from shared.events.pairing import CorrectHelper, EnrolHelper, HelperCorrected, HelperEnrolled, HelperVoided, VoidHelper

OFFICER = "hp_" + "a" * 20
ENROLLED, DAY = date(2019, 9, 20), date(2019, 10, 1)

enrol = EnrolHelper(occurred_on=ENROLLED, kind=HelperKind.OFFICER, district="4019", office="cdd")
enrolled = HelperEnrolled(
    occurred_on=ENROLLED, helper=OFFICER, kind=HelperKind.OFFICER, district="4019", office="cdd", sealed="c2VhbGVk"
)


CDD, OTHER, SECRETARIAT = Author("cdd"), Author("red-cross"), Author("red-cross", secretariat=True)
free = HelperLoad(HelperKind.OFFICER, "4019", ENROLLED)


def after(*given: HelperEvent) -> HelperState:
    return reduce(lambda state, event: evolve_helper(state, event, "cdd"), given, HELPER_START)


def knowing(sealed: str | None) -> KnownHelper:
    return KnownHelper(OFFICER, CDD, sealed)


def test_a_helper_is_enrolled_once_however_the_name_is_sealed() -> None:
    assert decide_helper(HELPER_START, enrol, knowing("c2VhbGVk")) == [enrolled]
    assert decide_helper(after(enrolled), enrol, knowing("b3RoZXI=")) == []


@pytest.mark.parametrize(
    ("other", "sealed"),
    [
        ({"kind": HelperKind.PERSON}, "c2VhbGVk"),
        ({"district": "4001"}, "c2VhbGVk"),
        ({"office": "red-cross"}, "c2VhbGVk"),
        ({"occurred_on": DAY}, "c2VhbGVk"),
        ({}, None),
    ],
)
def test_enrolling_again_with_other_details_is_refused(other: dict[str, object], sealed: str | None) -> None:
    state = after(enrolled)
    with pytest.raises(Rejected, match="helper_enrolled_otherwise") as no:
        decide_helper(state, enrol.model_copy(update=other), knowing(sealed))
    assert no.value.field == "data.helper"


# -- correcting and voiding --------------------------------------------------------------------------------------

correct = CorrectHelper(occurred_on=ENROLLED, helper=OFFICER, kind=HelperKind.PERSON, district="4001", office="cdd")
corrected = HelperCorrected(**dict(correct))
void = VoidHelper(occurred_on=DAY, helper=OFFICER, reason=VoidReason.ENTERED_TWICE)
voided = HelperVoided(**dict(void))


def when(
    command: CorrectHelper | VoidHelper, *given: HelperEvent, author: Author = CDD, load: HelperLoad | None = free
) -> list[HelperEvent]:
    return decide_helper(after(*given), command, KnownHelper(OFFICER, author, load=load))


def refusal(
    command: CorrectHelper | VoidHelper, *given: HelperEvent, author: Author = CDD, load: HelperLoad | None = free
) -> tuple[str, str | None]:
    with pytest.raises(Rejected) as no:
        when(command, *given, author=author, load=load)
    return no.value.code, no.value.field


def test_an_enrolment_is_corrected_and_enrolling_as_corrected_adds_nothing() -> None:
    assert when(correct, enrolled) == [corrected]
    assert when(correct, enrolled, corrected) == []
    again = enrol.model_copy(update={"kind": HelperKind.PERSON, "district": "4001"})
    assert decide_helper(after(enrolled, corrected), again, knowing("b3RoZXI=")) == []


@pytest.mark.parametrize("command", [correct, void])
def test_only_who_enrolled_a_helper_or_the_secretariat_changes_that(command: CorrectHelper | VoidHelper) -> None:
    assert refusal(command, enrolled, author=OTHER) == ("not_the_publisher", "data.helper")
    assert len(when(command, enrolled, author=SECRETARIAT)) == 1


@pytest.mark.parametrize("command", [correct, void])
def test_nobody_changes_an_enrolment_that_is_not_there(command: CorrectHelper | VoidHelper) -> None:
    assert refusal(command, load=None) == ("helper_unknown", "data.helper")


def leading(households: int) -> HelperLoad:
    """At the same time, until they ended."""
    return replace(free, leads={f"h{i}": (Days(DAY, DAY + timedelta(days=9)),) for i in range(households)})


def test_a_kind_is_not_corrected_to_one_that_cannot_lead_as_many() -> None:
    assert when(correct, enrolled, load=leading(1)) == [corrected]
    assert refusal(correct, enrolled, load=leading(2)) == ("helper_full", "data.kind")
    firm = correct.model_copy(update={"kind": HelperKind.ORGANISATION})
    assert len(when(firm, enrolled, load=leading(2))) == 1


def test_an_enrolment_is_not_corrected_to_after_a_pair() -> None:
    paired = replace(free, pairs=1, paired_since=DAY)
    assert len(when(correct.model_copy(update={"occurred_on": DAY}), enrolled, load=paired)) == 1
    late = correct.model_copy(update={"occurred_on": DAY + timedelta(days=1)})
    assert refusal(late, enrolled, load=paired) == ("after_what_follows", "data.occurred_on")


def test_a_helper_is_voided_once_and_stays_so() -> None:
    assert when(void, enrolled) == [voided]
    assert when(void, enrolled, voided) == []
    otherwise = void.model_copy(update={"reason": VoidReason.NEVER_HAPPENED})
    assert refusal(otherwise, enrolled, voided) == ("entry_voided", "data.helper")
    assert refusal(correct, enrolled, voided) == ("entry_voided", "data.helper")
    with pytest.raises(Rejected, match="helper_voided"):
        decide_helper(after(enrolled, voided), enrol, knowing("c2VhbGVk"))


def test_a_helper_with_a_pair_is_not_voided() -> None:
    with pytest.raises(Rejected, match="helper_has_pairs") as no:
        when(void, enrolled, load=replace(free, pairs=1))
    assert (no.value.field, no.value.facts) == ("data.helper", {"pairs": 1})
