"""Given what was recorded of a household, when it is corrected or voided, then that is what happens."""

from datetime import date, timedelta
from functools import reduce

import pytest

from services.registry.domain import Known, decide
from services.registry.household import START, Household, evolve
from shared.entries import Author
from shared.errors import Rejected
from shared.events.codes import Cohort, Dimension, HouseholdClass, Relation, Source, VoidReason
from shared.events.recoding import CorrectRecoding, HouseholdRecoded, RecodeHousehold, RecodingCorrected
from shared.events.registry import (
    AssessmentCorrected,
    AssessNeeds,
    ClassificationCorrected,
    ClassifyHousehold,
    CorrectAssessment,
    CorrectClassification,
    CorrectHousehold,
    CorrectRelocation,
    HouseholdAbsorbed,
    HouseholdClassified,
    HouseholdCorrected,
    HouseholdEntryVoided,
    HouseholdMerged,
    HouseholdRegistered,
    HouseholdReleased,
    HouseholdRelocated,
    MemberEntry,
    Need,
    NeedsAssessed,
    RegisterHousehold,
    RegistryCommand,
    RegistryEvent,
    RelocateHousehold,
    RelocationCorrected,
    VoidHouseholdEntry,
)

HOUSE, OTHER = "hh_" + "h" * 20, "hh_" + "o" * 20
DAY, LATER = date(2019, 9, 20), date(2019, 10, 15)
BEFORE = DAY - timedelta(days=1)
ME, THEM, SECRETARIAT = Author("cdd"), Author("red-cross"), Author("red-cross", secretariat=True)
NEEDS = (Need(dimension=Dimension.HEALTH, in_need=True),)

registered = HouseholdRegistered(occurred_on=DAY, household=HOUSE, village="40190101", members=())
classified = HouseholdClassified(occurred_on=LATER, household=HOUSE, household_class=HouseholdClass.DEVELOPABLE)
assessed = NeedsAssessed(occurred_on=LATER, household=HOUSE, needs=NEEDS, source=Source.HOME_VISIT, interviewer="cdd")
relocated = HouseholdRelocated(occurred_on=LATER, household=HOUSE, village="40190202", address_sealed="c2VhbA==")
recoded = HouseholdRecoded(occurred_on=LATER, household=HOUSE, was="40190202", village="40190221")
history: tuple[RegistryEvent, ...] = (registered, classified, assessed, relocated, recoded)

household = CorrectHousehold(occurred_on=DAY, household=HOUSE, village="40190109", cohort=Cohort.BMN_2561)
classification = CorrectClassification(
    occurred_on=DAY, household=HOUSE, corrects=2, household_class=HouseholdClass.WELFARE
)
assessment = CorrectAssessment(
    occurred_on=BEFORE, household=HOUSE, corrects=3, needs=NEEDS, source=Source.TPMAP_LOGBOOK, interviewer="cdd"
)
relocation = CorrectRelocation(occurred_on=LATER, household=HOUSE, corrects=4, village="40190203")
recoding = CorrectRecoding(occurred_on=LATER + timedelta(days=1), household=HOUSE, corrects=5, village="40190222")
CORRECTIONS: dict[RegistryCommand, RegistryEvent] = {
    household: HouseholdCorrected(**dict(household)),
    classification: ClassificationCorrected(**dict(classification)),
    assessment: AssessmentCorrected(**dict(assessment)),
    relocation: RelocationCorrected(**dict(relocation)),
    recoding: RecodingCorrected(**dict(recoding)),
}


def void(version: int, reason: VoidReason = VoidReason.ENTERED_TWICE) -> VoidHouseholdEntry:
    return VoidHouseholdEntry(occurred_on=LATER, household=HOUSE, voids=version, reason=reason)


def voided(version: int) -> HouseholdEntryVoided:
    return HouseholdEntryVoided(**dict(void(version)))


def after(*given: RegistryEvent) -> Household:
    return reduce(lambda state, event: evolve(state, event, ME.agency), given, START)


def when(command: RegistryCommand, *given: RegistryEvent, by: Author = ME) -> list[RegistryEvent]:
    return decide(after(*given), command, Known(HOUSE, by))


def refusal(command: RegistryCommand, *given: RegistryEvent, by: Author = ME) -> tuple[str, str | None]:
    with pytest.raises(Rejected) as no:
        when(command, *given, by=by)
    return no.value.code, no.value.field


each = pytest.mark.parametrize(("command", "event"), CORRECTIONS.items(), ids=lambda it: type(it).__name__)


@each
def test_an_entry_is_corrected_once(command: RegistryCommand, event: RegistryEvent) -> None:
    assert when(command, *history) == [event]
    assert when(command, *history, event) == []


@each
def test_only_its_publisher_or_the_secretariat_corrects_it(command: RegistryCommand, event: RegistryEvent) -> None:
    assert refusal(command, *history, by=THEM)[0] == "not_the_publisher"
    assert when(command, *history, by=SECRETARIAT) == [event]
    assert refusal(command, *history, event, by=THEM)[0] == "not_the_publisher", "not by correcting it first"


def test_what_its_correction_says_holds_and_the_rest_stays() -> None:
    state = after(*history, *CORRECTIONS.values())
    assert state.classes == {DAY: HouseholdClass.WELFARE}
    assert state.findings == {(Dimension.HEALTH, BEFORE): (True, Source.TPMAP_LOGBOOK, "cdd")}
    assert [(m.village, m.address_sealed) for m in state.relocations.values()] == [("40190203", "c2VhbA==")]
    assert state.registration
    assert state.registration.event == registered.model_copy(update={"village": "40190109", "cohort": Cohort.BMN_2561})


def test_of_several_corrections_the_last_holds() -> None:
    back = classification.model_copy(update={"household_class": HouseholdClass.DEVELOPABLE})
    state = after(*history, CORRECTIONS[classification], ClassificationCorrected(**dict(back)))
    assert state.classes == {DAY: HouseholdClass.DEVELOPABLE}


def test_a_correction_keeps_its_entrys_place_among_those_of_a_day() -> None:
    later_told = classified.model_copy(update={"household_class": HouseholdClass.WELFARE})
    same = classification.model_copy(update={"occurred_on": LATER, "household_class": HouseholdClass.DEVELOPABLE})
    state = after(registered, classified, later_told, ClassificationCorrected(**dict(same)))
    assert state.classes == {LATER: HouseholdClass.WELFARE}


@pytest.mark.parametrize("version", [1, 3, 6, 99])
def test_a_version_that_is_no_such_entry(version: int) -> None:
    command = classification.model_copy(update={"corrects": version})
    assert refusal(command, *history) == ("entry_unknown", "data.corrects")


@pytest.mark.parametrize("version", [6, 99])
def test_neither_a_correction_nor_what_never_was_is_voided(version: int) -> None:
    assert refusal(void(version), *history, CORRECTIONS[household]) == ("entry_unknown", "data.voids")


@pytest.mark.parametrize("version", [2, 3, 4, 5])
def test_an_entry_is_voided_once_and_stays_so(version: int) -> None:
    assert when(void(version), *history) == [voided(version)]
    assert when(void(version), *history, voided(version)) == []
    otherwise = void(version, VoidReason.NEVER_HAPPENED)
    assert refusal(otherwise, *history, voided(version)) == ("entry_voided", "data.voids")
    [command] = [c for c in CORRECTIONS if getattr(c, "corrects", None) == version]
    assert refusal(command, *history, voided(version)) == ("entry_voided", "data.corrects")


def test_only_its_publisher_or_the_secretariat_voids_it() -> None:
    assert refusal(void(2), *history, by=THEM) == ("not_the_publisher", "data.voids")
    assert when(void(2), *history, by=SECRETARIAT) == [voided(2)]


def test_what_was_voided_is_recorded_again_as_something_new() -> None:
    gone = voided(2), voided(3), voided(4)
    state = after(*history, *gone)
    assert (state.classes, state.findings, state.relocations) == ({}, {}, {})
    assert when(ClassifyHousehold(**dict(classified)), *history, *gone) == [classified]
    assert when(AssessNeeds(**dict(assessed)), *history, *gone) == [assessed]


# -- days --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("command", [classification, relocation, recoding], ids=["class", "move", "recoding"])
def test_an_entry_is_not_corrected_to_before_the_registration(command: RegistryCommand) -> None:
    assert len(when(command.model_copy(update={"occurred_on": DAY}), *history)) == 1
    early = command.model_copy(update={"occurred_on": BEFORE})
    assert refusal(early, *history) == ("before_registration", "data.occurred_on")


def test_a_registration_is_not_corrected_to_after_a_class_a_move_or_a_recoding() -> None:
    assert len(when(household.model_copy(update={"occurred_on": LATER}), *history)) == 1
    late = household.model_copy(update={"occurred_on": LATER + timedelta(days=1)})
    for dated in (classified, relocated, recoded):
        assert refusal(late, registered, dated) == ("after_what_follows", "data.occurred_on")
    assert len(when(late, registered, assessed)) == 1, "needs may be older than the registration"
    assert len(when(late, *history, voided(2), voided(4), voided(5))) == 1, "and what was voided never was"


# -- a household that is none of its own -------------------------------------------------------------------------

EVERY: tuple[RegistryCommand, ...] = (
    RegisterHousehold(
        occurred_on=DAY, household=HOUSE, village="40190101", members=(MemberEntry(relation=Relation.HEAD),)
    ),
    ClassifyHousehold(**dict(classified)),
    AssessNeeds(**dict(assessed)),
    RelocateHousehold(occurred_on=LATER, household=HOUSE, village="40190101"),
    RecodeHousehold(**dict(recoded)),
    *CORRECTIONS,
    void(2),
)
commands = pytest.mark.parametrize("command", EVERY, ids=lambda command: type(command).__name__)


@commands
def test_a_voided_household_takes_no_more(command: RegistryCommand) -> None:
    assert refusal(command, *history, voided(1)) == ("household_voided", "data.household")


@commands
def test_nor_does_a_merged_one_and_the_one_that_remains_is_named(command: RegistryCommand) -> None:
    merged = HouseholdMerged(occurred_on=LATER, household=HOUSE, into=OTHER)
    with pytest.raises(Rejected, match="household_merged") as no:
        when(command, *history, merged)
    assert (no.value.field, no.value.facts) == ("data.household", {"household": OTHER})


def test_a_registration_is_voided_once() -> None:
    assert when(void(1), *history) == [voided(1)]
    assert when(void(1), *history, voided(1)) == []
    assert refusal(void(1, VoidReason.NEVER_HAPPENED), *history, voided(1)) == ("entry_voided", "data.voids")


def test_not_while_another_household_is_merged_into_it() -> None:
    absorbed = HouseholdAbsorbed(occurred_on=LATER, household=HOUSE, absorbed=OTHER)
    with pytest.raises(Rejected, match="household_holds_merged") as no:
        when(void(1), *history, absorbed)
    assert (no.value.field, no.value.facts) == ("data.voids", {"household": OTHER})
    assert when(void(2), *history, absorbed) == [voided(2)]
    released = HouseholdReleased(occurred_on=LATER, household=HOUSE, released=OTHER)
    assert when(void(1), *history, absorbed, released) == [voided(1)]
