"""Given what happened to a household, when asked this, then that is what happens."""

from datetime import date, timedelta
from functools import reduce

import pytest
from pydantic import SecretStr

from services.registry.domain import Known, decide
from services.registry.household import START, Household, evolve
from shared.entries import Author
from shared.errors import Rejected
from shared.events.codes import Cohort, DigitCheck, Dimension, HouseholdClass, Relation, Source
from shared.events.recoding import HouseholdRecoded, RecodeHousehold
from shared.events.registry import (
    AssessNeeds,
    ClassifyHousehold,
    HouseholdClassified,
    HouseholdRegistered,
    HouseholdRelocated,
    Member,
    MemberEntry,
    Need,
    NeedsAssessed,
    RegisterHousehold,
    RegistryCommand,
    RegistryEvent,
    RelocateHousehold,
)

HOUSE, OTHER = "hh_" + "h" * 20, "hh_" + "o" * 20
MOTHER, SON = "pr_" + "m" * 20, "pr_" + "s" * 20
DAY = date(2019, 9, 20)
LATER = date(2019, 10, 15)
DEVELOPABLE, WELFARE = HouseholdClass.DEVELOPABLE, HouseholdClass.WELFARE

mother = Member(person=MOTHER, relation=Relation.HEAD, citizen_id_check=DigitCheck.RIGHT, sealed="c2VhbGVk")
son = Member(person=SON, relation=Relation.CHILD, citizen_id_check=DigitCheck.ABSENT)
entries = (MemberEntry(relation=Relation.HEAD, name=SecretStr("x")), MemberEntry(person=SON, relation=Relation.CHILD))
register = RegisterHousehold(occurred_on=DAY, village="40190101", cohort=Cohort.BMN_2561, members=entries)
registered = HouseholdRegistered(
    occurred_on=DAY, household=HOUSE, village="40190101", cohort=Cohort.BMN_2561, members=(mother, son)
)
author = Author("cdd")
known = Known(HOUSE, author, members=(mother, son))


def after(*given: RegistryEvent) -> Household:
    return reduce(lambda state, event: evolve(state, event, "cdd"), given, START)


def when(command: RegistryCommand, *given: RegistryEvent, known: Known = known) -> list[RegistryEvent]:
    return decide(after(*given), command, known)


def refusal(command: RegistryCommand, *given: RegistryEvent, known: Known = known) -> tuple[str, str | None]:
    with pytest.raises(Rejected) as no:
        when(command, *given, known=known)
    return no.value.code, no.value.field


def classify(to: HouseholdClass = DEVELOPABLE, on: date = DAY) -> ClassifyHousehold:
    return ClassifyHousehold(occurred_on=on, household=HOUSE, household_class=to)


def classified(to: HouseholdClass = DEVELOPABLE, on: date = DAY) -> HouseholdClassified:
    return HouseholdClassified(occurred_on=on, household=HOUSE, household_class=to)


def needs(*dimensions: Dimension, in_need: bool = True) -> tuple[Need, ...]:
    return tuple(Need(dimension=dimension, in_need=in_need) for dimension in dimensions)


def assess(lines: tuple[Need, ...], on: date = DAY, source: Source = Source.HOME_VISIT) -> AssessNeeds:
    return AssessNeeds(occurred_on=on, household=HOUSE, needs=lines, source=source, interviewer="cdd")


def assessed(lines: tuple[Need, ...], on: date = DAY, source: Source = Source.HOME_VISIT) -> NeedsAssessed:
    return NeedsAssessed(occurred_on=on, household=HOUSE, needs=lines, source=source, interviewer="cdd")


# -- registering -------------------------------------------------------------------------------------------------


def test_a_new_household_is_registered() -> None:
    assert when(register) == [registered]


def test_registering_the_same_again_adds_nothing_whatever_the_sealing_made_of_it() -> None:
    resealed = (mother.model_copy(update={"person": "pr_" + "n" * 20, "sealed": "b3RoZXI="}), son)
    assert when(register, registered, known=Known(HOUSE, author, members=resealed)) == []


@pytest.mark.parametrize(
    "other",
    [
        pytest.param({"village": "40190102"}, id="village"),
        pytest.param({"cohort": None}, id="cohort"),
        pytest.param({"occurred_on": LATER}, id="day"),
    ],
)
def test_registering_again_with_other_details_is_refused(other: dict[str, object]) -> None:
    command = register.model_copy(update=other)
    assert refusal(command, registered) == ("household_registered_otherwise", "data.household")


@pytest.mark.parametrize(
    "members",
    [
        pytest.param((mother,), id="one fewer"),
        pytest.param((mother, son, son), id="one more"),
        pytest.param((mother, son.model_copy(update={"person": "pr_" + "x" * 20})), id="another person by id"),
        pytest.param((mother, son.model_copy(update={"relation": Relation.PARENT})), id="another relation"),
        pytest.param((mother.model_copy(update={"sealed": None}), son), id="details left out"),
        pytest.param((mother, son.model_copy(update={"sealed": "bmV3"})), id="details added"),
        pytest.param((mother.model_copy(update={"citizen_id_check": DigitCheck.WRONG}), son), id="another number"),
    ],
)
def test_registering_again_with_other_people_is_refused(members: tuple[Member, ...]) -> None:
    told = Known(HOUSE, author, members=members)
    assert refusal(register, registered, known=told) == ("household_registered_otherwise", "data.household")


def test_registering_again_with_an_address_added_is_refused() -> None:
    told = Known(HOUSE, author, members=(mother, son), address_sealed="YWRkcmVzcw==")
    assert refusal(register, registered, known=told)[0] == "household_registered_otherwise"


def test_a_person_who_lives_in_another_household_is_refused_and_the_other_is_named() -> None:
    with pytest.raises(Rejected, match="household_duplicate") as no:
        when(register, known=Known(HOUSE, author, members=(mother, son), duplicate_of=OTHER))
    assert (no.value.field, no.value.facts) == ("data.members", {"household": OTHER})


def test_a_person_named_twice_is_refused() -> None:
    assert refusal(register, known=Known(HOUSE, author, members=(mother, mother))) == (
        "person_named_twice",
        "data.members",
    )


# -- classing ----------------------------------------------------------------------------------------------------


def test_a_class_is_recorded() -> None:
    assert when(classify(), registered) == [classified()]


def test_the_same_class_of_the_same_day_adds_nothing() -> None:
    assert when(classify(), registered, classified()) == []


def test_the_same_class_of_another_day_is_a_new_dated_fact() -> None:
    assert when(classify(on=LATER), registered, classified()) == [classified(on=LATER)]


def test_another_class_of_the_same_day_replaces_what_was_said_before() -> None:
    history = registered, classified(), classified(WELFARE)
    assert when(classify(WELFARE), *history) == []
    assert when(classify(DEVELOPABLE), *history) == [classified(DEVELOPABLE)]


def test_a_class_older_than_the_registration_is_refused() -> None:
    with pytest.raises(Rejected, match="before_registration") as no:
        when(classify(on=DAY - timedelta(days=1)), registered)
    assert (no.value.field, no.value.facts) == ("data.occurred_on", {"day": date(2019, 9, 20)})


# -- assessing ---------------------------------------------------------------------------------------------------

HEALTH, LIVING = Dimension.HEALTH, Dimension.LIVING


def test_an_assessment_is_recorded_even_from_before_the_registration() -> None:
    survey = date(2018, 5, 1)
    assert when(assess(needs(HEALTH), on=survey), registered) == [assessed(needs(HEALTH), on=survey)]


@pytest.mark.parametrize("lines", [needs(HEALTH, LIVING), needs(LIVING), needs(LIVING, HEALTH)])
def test_an_assessment_that_says_nothing_new_of_that_day_adds_nothing(lines: tuple[Need, ...]) -> None:
    assert when(assess(lines), registered, assessed(needs(HEALTH, LIVING))) == []


@pytest.mark.parametrize(
    "command",
    [
        pytest.param(assess(needs(HEALTH), on=LATER), id="another day"),
        pytest.param(assess(needs(HEALTH), source=Source.TPMAP_LOGBOOK), id="another source"),
        pytest.param(assess(needs(HEALTH)).model_copy(update={"interviewer": "red-cross"}), id="another office"),
        pytest.param(assess(needs(HEALTH, in_need=False)), id="another answer"),
        pytest.param(assess(needs(HEALTH, LIVING)), id="one dimension more"),
    ],
)
def test_anything_new_in_an_assessment_is_recorded(command: AssessNeeds) -> None:
    assert when(command, registered, assessed(needs(HEALTH))) == [NeedsAssessed(**dict(command))]


@pytest.mark.parametrize("command", [classify(), assess(needs(HEALTH))], ids=lambda c: type(c).__name__)
def test_nothing_is_said_about_a_household_that_nobody_registered(command: RegistryCommand) -> None:
    assert refusal(command) == ("household_unknown", "data.household")


# -- moving ------------------------------------------------------------------------------------------------------


def relocate(village: str = "40190202", on: date = LATER) -> RelocateHousehold:
    return RelocateHousehold(occurred_on=on, household=HOUSE, village=village)


def relocated(village: str = "40190202", on: date = LATER, sealed: str | None = None) -> HouseholdRelocated:
    return HouseholdRelocated(occurred_on=on, household=HOUSE, village=village, address_sealed=sealed)


def test_a_household_moves() -> None:
    assert when(relocate(), registered, known=Known(HOUSE, author)) == [relocated()]


def test_moving_to_the_same_place_on_the_same_day_adds_nothing_whatever_the_sealing_made_of_it() -> None:
    at = Known(HOUSE, author, address_sealed="bmV3")
    assert when(relocate(), registered, relocated(), known=Known(HOUSE, author)) == []
    assert when(relocate(), registered, relocated(sealed="b2xk"), known=at) == []
    assert when(relocate(), registered, relocated(), known=at) == [relocated(sealed="bmV3")]


def test_of_two_moves_of_one_day_the_later_told_holds() -> None:
    history = registered, relocated(), relocated("40190303")
    assert when(relocate("40190303"), *history, known=Known(HOUSE, author)) == []
    assert when(relocate(), *history, known=Known(HOUSE, author)) == [relocated()]


def test_a_household_does_not_move_before_it_was_registered() -> None:
    at = Known(HOUSE, author)
    assert when(relocate(on=DAY), registered, known=at) == [relocated(on=DAY)]
    early = relocate(on=DAY - timedelta(days=1))
    assert refusal(early, registered, known=at) == ("before_registration", "data.occurred_on")


# -- recoding ----------------------------------------------------------------------------------------------------

HERE, NEW = "40190101", "40190121"
secretariat = Known(HOUSE, Author("office", secretariat=True))


def recode(was: str = HERE, village: str = NEW, on: date = LATER) -> RecodeHousehold:
    return RecodeHousehold(occurred_on=on, household=HOUSE, was=was, village=village)


def recoded(was: str = HERE, village: str = NEW, on: date = LATER) -> HouseholdRecoded:
    return HouseholdRecoded(occurred_on=on, household=HOUSE, was=was, village=village)


def test_a_village_gets_another_code_once() -> None:
    assert when(recode(), registered, known=secretariat) == [recoded()]
    assert when(recode(), registered, recoded(), known=secretariat) == []
    assert when(recode(), registered, relocated(NEW), known=secretariat) == [], "it was registered there meanwhile"


def test_only_the_secretariat_recodes() -> None:
    assert refusal(recode(), registered) == ("secretariat_only", None)


def test_who_lives_elsewhere_that_day_is_not_recoded() -> None:
    far = "40190202"
    with pytest.raises(Rejected, match="lived_elsewhere") as no:
        when(recode(), registered, relocated(far), known=secretariat)
    assert (no.value.field, no.value.facts) == ("data.was", {"day": LATER, "village": far})
    tomorrow = relocated(far, on=LATER + timedelta(days=1))
    assert when(recode(), registered, tomorrow, known=secretariat) == [recoded()]


def test_who_had_left_as_is_found_out_later_stays_where_it_was_and_can_be_recoded_there() -> None:
    far, left = "40190202", relocated("40190202", on=LATER - timedelta(days=1))
    assert after(registered, recoded(), left).village_on(LATER) == far
    assert when(recode(far), registered, recoded(), left, known=secretariat) == [recoded(far)]


def test_a_household_is_not_recoded_before_it_was_registered() -> None:
    assert when(recode(on=DAY), registered, known=secretariat) == [recoded(on=DAY)]
    early = recode(on=DAY - timedelta(days=1))
    assert refusal(early, registered, known=secretariat) == ("before_registration", "data.occurred_on")
