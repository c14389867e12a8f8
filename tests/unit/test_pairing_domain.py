"""Given who is paired, when asked this, then that is what happens."""

from dataclasses import replace
from datetime import date, timedelta
from functools import reduce

import pytest

from services.pairing.domain import PairCommand, decide
from services.pairing.helpers import Days, HelperLoad
from services.pairing.known import Known
from services.pairing.pairs import START, PairEvent, Pairing, evolve
from shared.entries import Author
from shared.errors import Rejected
from shared.events.codes import CAPACITY, Chosen, EndReason, HelperKind, OtherDistrictReason, PairRole
from shared.events.pairing import AssignPair, EndPair, PairAssigned, PairEnded
from shared.standing import Standing

HOUSE = "hh_" + "h" * 20
OFFICER, SECOND, FIRM = "hp_" + "a" * 20, "hp_" + "b" * 20, "hp_" + "c" * 20
ENROLLED = date(2019, 9, 20)
DAY, LATER = date(2019, 10, 1), date(2019, 12, 1)
ONE_DAY, OWN = timedelta(days=1), Standing()
LEAD, SUPPORTING = PairRole.LEAD, PairRole.SUPPORTING


def helper(load: int = 0, kind: HelperKind = HelperKind.OFFICER, district: str = "4019") -> HelperLoad:
    """Leads so many other households, for ever."""
    return HelperLoad(kind, district, ENROLLED, {f"other {i}": (Days(ENROLLED),) for i in range(load)})


def assign(who: str = OFFICER, role: PairRole = LEAD, on: date = DAY) -> AssignPair:
    return AssignPair(occurred_on=on, household=HOUSE, helper=who, role=role, chosen=Chosen.ORDER, order="3091/2562")


def assigned(who: str = OFFICER, role: PairRole = LEAD, on: date = DAY) -> PairAssigned:
    return PairAssigned(**dict(assign(who, role, on)), helper_kind=HelperKind.OFFICER)


def end(who: str = OFFICER, on: date = LATER, reason: EndReason = EndReason.HELPER_TRANSFERRED) -> EndPair:
    return EndPair(occurred_on=on, household=HOUSE, helper=who, reason=reason)


def ended(
    who: str = OFFICER, role: PairRole = LEAD, on: date = LATER, reason: EndReason = EndReason.HELPER_TRANSFERRED
) -> PairEnded:
    return PairEnded(occurred_on=on, household=HOUSE, helper=who, role=role, reason=reason)


def knowing(who: HelperLoad | None, district: str | None = "4019", household: Standing | None = OWN) -> Known:
    return Known(Author("cdd"), household if district else None, district, who)


at_home = knowing(helper())


def after(*given: PairEvent) -> Pairing:
    return reduce(lambda state, event: evolve(state, event, "cdd"), given, START)


def when(command: PairCommand, *given: PairEvent, known: Known = at_home) -> list[PairEvent]:
    return decide(after(*given), command, known)


def refusal(command: PairCommand, *given: PairEvent, known: Known = at_home) -> tuple[str, str | None]:
    with pytest.raises(Rejected) as no:
        when(command, *given, known=known)
    return no.value.code, no.value.field


# -- assigning ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "load"),
    [
        (HelperKind.OFFICER, 0),
        (HelperKind.OFFICER, 1),
        (HelperKind.PERSON, 0),
        (HelperKind.HOUSEHOLD, 0),
        (HelperKind.GROUP, 100),
        (HelperKind.ORGANISATION, 100),
    ],
)
def test_a_helper_with_room_takes_a_household(kind: HelperKind, load: int) -> None:
    expected = assigned().model_copy(update={"helper_kind": kind})
    assert when(assign(), known=knowing(helper(load, kind))) == [expected]


@pytest.mark.parametrize(
    ("kind", "load"),
    [(HelperKind.OFFICER, 2), (HelperKind.OFFICER, 3), (HelperKind.PERSON, 1), (HelperKind.HOUSEHOLD, 1)],
)
def test_a_full_helper_is_refused_with_the_capacity(kind: HelperKind, load: int) -> None:
    with pytest.raises(Rejected, match="helper_full") as no:
        when(assign(), known=knowing(helper(load, kind)))
    assert (no.value.field, no.value.facts) == ("data.helper", {"capacity": CAPACITY[kind]})


@pytest.mark.parametrize(
    ("on", "full"),
    [
        (DAY, True),
        (LATER - ONE_DAY, True),  # the first of the two ends on LATER
        (LATER, False),
        (LATER + ONE_DAY, False),
    ],
)
def test_on_no_day_does_a_helper_lead_more_than_he_can_however_late_it_is_told(on: date, full: bool) -> None:
    was = HelperLoad(HelperKind.OFFICER, "4019", ENROLLED, {"a": (Days(ENROLLED, LATER),), "b": (Days(ENROLLED),)})
    if full:
        assert refusal(assign(on=on), known=knowing(was)) == ("helper_full", "data.helper")
    else:
        assert when(assign(on=on), known=knowing(was)) == [assigned(on=on)]


def test_a_lead_that_begins_before_others_do_counts_on_their_days_too() -> None:
    will = HelperLoad(HelperKind.OFFICER, "4019", ENROLLED, {"a": (Days(LATER),), "b": (Days(LATER, LATER + ONE_DAY),)})
    assert refusal(assign(), known=knowing(will)) == ("helper_full", "data.helper")


def test_supporting_takes_no_capacity() -> None:
    supporting = assigned(role=SUPPORTING)
    assert when(assign(role=SUPPORTING), known=knowing(helper(load=2))) == [supporting]
    assert (list(after(supporting).led), after(supporting).holds(OFFICER)) == ([], True)
    assert [span.pair for span in after(assigned()).led] == [assigned()]
    assert not after(assigned(), ended()).holds(OFFICER)


def test_a_household_has_one_lead() -> None:
    assert refusal(assign(SECOND), assigned()) == ("household_already_paired", "data.household")


def test_a_household_has_any_number_of_supporters() -> None:
    history = assigned(), assigned(SECOND, SUPPORTING)
    assert when(assign(FIRM, SUPPORTING), *history) == [assigned(FIRM, SUPPORTING)]


def test_assigning_the_same_again_adds_nothing_even_when_the_helper_is_full_by_it() -> None:
    assert when(assign(), assigned(), known=knowing(helper(load=2))) == []


@pytest.mark.parametrize("command", [assign(role=SUPPORTING), assign(on=LATER)])
def test_the_same_pair_with_other_details_is_refused(command: AssignPair) -> None:
    assert refusal(command, assigned()) == ("pair_assigned_otherwise", "data.helper")


@pytest.mark.parametrize(
    ("known", "expected"),
    [
        (knowing(helper(), None), ("household_unknown", "data.household")),
        (knowing(None), ("helper_unknown", "data.helper")),
    ],
)
def test_both_ends_of_a_pair_are_known(known: Known, expected: tuple[str, str]) -> None:
    assert refusal(assign(), known=known) == expected


def test_a_pair_is_no_older_than_the_helpers_enrolment() -> None:
    assert when(assign(on=ENROLLED)) != []
    with pytest.raises(Rejected, match="before_registration") as no:
        when(assign(on=ENROLLED - timedelta(days=1)))
    assert (no.value.field, no.value.facts) == ("data.occurred_on", {"day": date(2019, 9, 20)})


# -- districts ---------------------------------------------------------------------------------------------------

RELATIVE = OtherDistrictReason.RELATIVE


@pytest.mark.parametrize(
    ("given_too", "field"),
    [
        ({"reason": None, "order": None}, "data.reason"),
        ({"reason": None, "order": "12/2563"}, "data.reason"),
        ({"reason": RELATIVE, "order": None}, "data.order"),
    ],
)
@pytest.mark.parametrize("role", PairRole)
def test_an_officer_of_another_district_needs_a_reason_and_an_order(
    given_too: dict[str, object], field: str, role: PairRole
) -> None:
    command = assign(role=role).model_copy(update=given_too)
    with pytest.raises(Rejected, match="other_district_needs_reason_and_order") as no:
        when(command, known=knowing(helper(), "4001"))
    assert no.value.field == field
    assert no.value.facts == {"helper_district": "4019", "household_district": "4001"}


def test_with_a_reason_and_an_order_an_officer_crosses_districts() -> None:
    command = assign().model_copy(update={"reason": RELATIVE})
    assert when(command, known=knowing(helper(), "4001")) == [assigned().model_copy(update={"reason": RELATIVE})]


@pytest.mark.parametrize("kind", set(HelperKind) - {HelperKind.OFFICER})
def test_whoever_is_no_officer_helps_anywhere(kind: HelperKind) -> None:
    assert when(assign().model_copy(update={"order": None}), known=knowing(helper(kind=kind), "4001")) != []


def test_every_kind_of_helper_has_a_capacity() -> None:
    assert set(CAPACITY) == set(HelperKind)


# -- a household that is none of its own ------------------------------------------------------------------------

MERGED, VOIDED = Standing(merged_into="hh_" + "o" * 20), Standing(voided=True)


def test_a_household_that_was_merged_is_not_paired_and_the_one_that_remains_is_named() -> None:
    with pytest.raises(Rejected, match="household_merged") as no:
        when(assign(), known=knowing(helper(), household=MERGED))
    assert (no.value.field, no.value.facts) == ("data.household", {"household": "hh_" + "o" * 20})


def test_a_household_that_never_was_is_not_paired() -> None:
    assert refusal(assign(), known=knowing(helper(), household=VOIDED)) == ("household_voided", "data.household")


@pytest.mark.parametrize("household", [MERGED, VOIDED])
def test_its_pair_can_end_so_that_the_helper_is_free(household: Standing) -> None:
    assert when(end(), assigned(), known=knowing(helper(), household=household)) == [ended()]


def test_a_household_that_was_led_before_it_was_merged_brings_its_lead_along() -> None:
    known = replace(at_home, led_elsewhere=True)
    assert refusal(assign(), known=known) == ("household_already_paired", "data.household")
    assert when(assign(role=SUPPORTING), known=known) == [assigned(role=SUPPORTING)]


def test_a_helper_whose_enrolment_was_voided_is_not_paired() -> None:
    assert refusal(assign(), known=knowing(replace(helper(), voided=True))) == ("helper_voided", "data.helper")


# -- ending ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("role", PairRole)
def test_a_pair_ends_in_the_role_it_had(role: PairRole) -> None:
    assert when(end(), assigned(role=role)) == [ended(role=role)]


def test_ending_the_same_again_adds_nothing() -> None:
    assert when(end(), assigned(), ended()) == []


@pytest.mark.parametrize(
    ("command", "history"),
    [
        pytest.param(end(), (), id="never a pair"),
        pytest.param(end(SECOND), (assigned(),), id="another helper's"),
        pytest.param(end(on=DAY), (assigned(), ended()), id="ended on another day"),
        pytest.param(end(reason=EndReason.HOUSEHOLD_MOVED), (assigned(), ended()), id="ended for another reason"),
    ],
)
def test_what_is_no_pair_does_not_end(command: EndPair, history: tuple[PairEvent, ...]) -> None:
    assert refusal(command, *history) == ("pair_unknown", "data.helper")


def test_a_pair_does_not_end_before_it_began() -> None:
    assert when(end(on=DAY), assigned()) == [ended(on=DAY)]
    with pytest.raises(Rejected, match="ends_before_it_began") as no:
        when(end(on=DAY - timedelta(days=1)), assigned())
    assert (no.value.field, no.value.facts) == ("data.occurred_on", {"day": date(2019, 10, 1)})


# -- after an end ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("who", [OFFICER, SECOND])
def test_on_the_day_a_pair_ended_a_new_one_may_begin(who: str) -> None:
    assert when(assign(who, on=LATER), assigned(), ended()) == [assigned(who, on=LATER)]


@pytest.mark.parametrize(
    ("command", "history"),
    [
        pytest.param(assign(SECOND), (assigned(), ended()), id="two leads"),
        pytest.param(assign(role=SUPPORTING), (assigned(), ended()), id="one helper in two roles"),
        pytest.param(assign(), (assigned(role=SUPPORTING), ended(role=SUPPORTING)), id="and the other way round"),
    ],
)
def test_a_pair_does_not_reach_back_into_an_earlier_one(command: AssignPair, history: tuple[PairEvent, ...]) -> None:
    assert refusal(command, *history) == ("overlaps_earlier_pair", "data.occurred_on")


def test_the_latest_end_counts() -> None:
    history = assigned(), ended(on=DAY), assigned(SECOND), ended(SECOND)
    with pytest.raises(Rejected, match="overlaps_earlier_pair") as no:
        when(assign(FIRM), *history)
    assert no.value.facts == {"day": date(2019, 12, 1)}


def test_an_earlier_supporter_stands_in_nobodys_way() -> None:
    assert when(assign(SECOND), assigned(role=SUPPORTING), ended(role=SUPPORTING)) == [assigned(SECOND)]
    assert when(assign(SECOND, SUPPORTING), assigned(), ended()) == [assigned(SECOND, SUPPORTING)]


def test_a_pair_entered_by_mistake_never_was() -> None:
    mistake = ended(reason=EndReason.ENTERED_BY_MISTAKE)
    assert when(assign(SECOND), assigned(), mistake) == [assigned(SECOND)]
