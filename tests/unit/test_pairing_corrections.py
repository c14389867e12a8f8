"""Given who was paired, when that is corrected or voided, then that is what happens."""

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
from shared.events.codes import Chosen, EndReason, HelperKind, OtherDistrictReason, PairRole, VoidReason
from shared.events.pairing import (
    CorrectPair,
    CorrectPairEnd,
    PairAssigned,
    PairCorrected,
    PairEnded,
    PairingEntryVoided,
    VoidPairingEntry,
)
from shared.standing import Standing

HOUSE = "hh_" + "h" * 20
OFFICER, SECOND = "hp_" + "a" * 20, "hp_" + "b" * 20
ENROLLED, DAY, ENDED, LATER = date(2019, 9, 20), date(2019, 10, 1), date(2019, 12, 1), date(2020, 2, 1)
ME, THEM, SECRETARIAT = Author("cdd"), Author("red-cross"), Author("red-cross", secretariat=True)
LEAD, SUPPORTING = PairRole.LEAD, PairRole.SUPPORTING
ONE_DAY = timedelta(days=1)

free = HelperLoad(HelperKind.OFFICER, "4019", ENROLLED)
here = Known(ME, Standing(), "4019", free)


def assigned(who: str = OFFICER, on: date = DAY, role: PairRole = LEAD) -> PairAssigned:
    return PairAssigned(
        occurred_on=on, household=HOUSE, helper=who, helper_kind=HelperKind.OFFICER, role=role, chosen=Chosen.BULK
    )


def ended(
    who: str = OFFICER, on: date = ENDED, reason: EndReason = EndReason.HELPER_RETIRED, role: PairRole = LEAD
) -> PairEnded:
    return PairEnded(occurred_on=on, household=HOUSE, helper=who, role=role, reason=reason)


def pair(version: int = 1, on: date = DAY, who: str = OFFICER, **more: object) -> CorrectPair:
    told = {"occurred_on": on, "household": HOUSE, "helper": who, "corrects": version, "chosen": Chosen.ORDER}
    return CorrectPair.model_validate({**told, **more})


def end(
    version: int = 2, on: date = ENDED, who: str = OFFICER, reason: EndReason = EndReason.HOUSEHOLD_ASKED
) -> CorrectPairEnd:
    return CorrectPairEnd(occurred_on=on, household=HOUSE, helper=who, corrects=version, reason=reason)


def void(version: int, who: str = OFFICER, reason: VoidReason = VoidReason.ENTERED_TWICE) -> VoidPairingEntry:
    return VoidPairingEntry(occurred_on=LATER, household=HOUSE, helper=who, voids=version, reason=reason)


def voided(version: int, who: str = OFFICER, role: PairRole = LEAD) -> PairingEntryVoided:
    return PairingEntryVoided(**dict(void(version, who)), role=role)


def after(*given: PairEvent) -> Pairing:
    return reduce(lambda state, event: evolve(state, event, ME.agency), given, START)


def when(command: PairCommand, *given: PairEvent, known: Known = here) -> list[PairEvent]:
    return decide(after(*given), command, known)


def refusal(command: PairCommand, *given: PairEvent, known: Known = here) -> tuple[str, str | None]:
    with pytest.raises(Rejected) as no:
        when(command, *given, known=known)
    return no.value.code, no.value.field


changes = pytest.mark.parametrize(
    ("command", "field"),
    [(pair(), "data.corrects"), (end(), "data.corrects"), (void(1), "data.voids"), (void(2), "data.voids")],
    ids=["pair", "end", "void pair", "void end"],
)

# -- every change ------------------------------------------------------------------------------------------------


@changes
def test_a_change_is_recorded_once(command: PairCommand, field: str) -> None:
    [event] = when(command, assigned(), ended())
    assert when(command, assigned(), ended(), event) == []


@changes
def test_only_the_publisher_or_the_secretariat_makes_it(command: PairCommand, field: str) -> None:
    assert refusal(command, assigned(), ended(), known=replace(here, author=THEM)) == ("not_the_publisher", field)
    assert len(when(command, assigned(), ended(), known=replace(here, author=SECRETARIAT))) == 1


@pytest.mark.parametrize(
    "command", [pair(2), pair(9), pair(who=SECOND), end(1), end(9), end(who=SECOND), void(9), void(1, SECOND)]
)
def test_what_is_no_such_entry_of_these_two(command: PairCommand) -> None:
    assert refusal(command, assigned(), ended())[0] == "entry_unknown"


@changes
def test_what_was_voided_is_not_changed(command: PairCommand, field: str) -> None:
    gone = voided(1), voided(2)
    other = command.model_copy(update={"occurred_on": LATER + ONE_DAY})
    assert refusal(other, assigned(), ended(), *gone) == ("entry_voided", field)


@changes
@pytest.mark.parametrize(
    ("household", "code"), [(Standing(voided=True), "household_voided"), (Standing(False, HOUSE), "household_merged")]
)
def test_a_household_that_is_none_of_its_own(command: PairCommand, field: str, household: Standing, code: str) -> None:
    known = replace(here, household=household)
    assert refusal(command, assigned(), ended(), known=known) == (code, "data.household")


# -- correcting a pair -------------------------------------------------------------------------------------------


def test_a_pair_says_what_its_correction_says_and_keeps_the_rest() -> None:
    state = after(assigned(), PairCorrected(**dict(pair(on=ENDED))))
    assert state.lead == assigned(on=ENDED).model_copy(update={"chosen": Chosen.ORDER})


def test_a_pair_is_not_corrected_to_before_its_helper_was_enrolled() -> None:
    assert len(when(pair(on=ENROLLED), assigned())) == 1
    assert refusal(pair(on=ENROLLED - ONE_DAY), assigned()) == ("before_registration", "data.occurred_on")


def test_nor_to_after_it_ended() -> None:
    assert len(when(pair(on=ENDED), assigned(), ended())) == 1
    assert refusal(pair(on=ENDED + ONE_DAY), assigned(), ended()) == ("after_what_follows", "data.occurred_on")
    assert len(when(pair(on=ENDED + ONE_DAY), assigned(), ended(), voided(2))) == 1


def test_the_reason_for_another_district_cannot_be_corrected_away() -> None:
    away = replace(here, district="4001")
    assert refusal(pair(), assigned(), known=away) == ("other_district_needs_reason_and_order", "data.reason")
    assert len(when(pair(reason=OtherDistrictReason.RELATIVE, order="1/2562"), assigned(), known=away)) == 1


def test_a_corrected_pair_overlaps_no_other() -> None:
    second = assigned(SECOND, on=ENDED)
    assert len(when(pair(3, on=ENDED, who=SECOND), assigned(), ended(), second)) == 1
    early = pair(3, on=ENDED - ONE_DAY, who=SECOND)
    with pytest.raises(Rejected, match="pairs_overlap") as no:
        when(early, assigned(), ended(), second)
    assert (no.value.field, no.value.facts) == ("data.occurred_on", {"day": date(2019, 10, 1)})
    mistake = ended(reason=EndReason.ENTERED_BY_MISTAKE)
    assert len(when(early, assigned(), mistake, second)) == 1, "one entered by mistake never was"
    assert len(when(early, assigned(), ended(), second, voided(1))) == 1, "nor one that was voided"
    supporter = assigned(SECOND, on=ENDED, role=SUPPORTING)
    assert len(when(early, assigned(), ended(), supporter)) == 1, "a supporter stands in nobody's way"


# -- correcting an end -------------------------------------------------------------------------------------------


def test_an_end_is_not_corrected_to_before_the_pair_began() -> None:
    assert len(when(end(on=DAY), assigned(), ended())) == 1
    assert refusal(end(on=DAY - ONE_DAY), assigned(), ended()) == ("ends_before_it_began", "data.occurred_on")


def test_nor_into_the_next_pair() -> None:
    second = assigned(SECOND, on=LATER)
    assert len(when(end(on=LATER), assigned(), ended(), second)) == 1
    assert refusal(end(on=LATER + ONE_DAY), assigned(), ended(), second) == ("pairs_overlap", "data.occurred_on")


def test_a_pair_that_was_no_mistake_after_all_overlaps_again() -> None:
    mistake, second = ended(on=LATER, reason=EndReason.ENTERED_BY_MISTAKE), assigned(SECOND, on=ENDED)
    assert refusal(end(on=LATER), assigned(), mistake, second) == ("pairs_overlap", "data.occurred_on")
    assert len(when(end(on=ENDED), assigned(), mistake, second)) == 1


# -- voiding -----------------------------------------------------------------------------------------------------


def test_a_voided_pair_frees_helper_and_household() -> None:
    state = after(assigned(), voided(1))
    assert (state.lead, state.holds(OFFICER)) == (None, False)


def test_a_voided_pair_takes_its_end_with_it() -> None:
    state = after(assigned(), ended(), voided(1))
    assert not state.ends[2].holds
    assert list(state.spans) == []
    assert refusal(end(), assigned(), ended(), voided(1)) == ("entry_voided", "data.corrects")


def test_a_pair_whose_end_is_voided_holds_again_and_can_end_again() -> None:
    history = assigned(), ended(), voided(2)
    assert after(*history).lead == assigned()
    again = ended(on=LATER)
    state = after(*history, again)
    assert (state.lead, [span.until for span in state.spans]) == (None, [LATER])
    assert when(void(4), *history, again) == [voided(4)]


def test_a_pair_holds_again_only_if_the_helper_has_room() -> None:
    full = replace(free, leads={"a": (Days(DAY),), "b": (Days(DAY),)}, pairs=2)
    last = replace(free, leads={"a": (Days(DAY),)}, pairs=1)
    assert refusal(void(2), assigned(), ended(), known=replace(here, helper=full)) == ("helper_full", "data.helper")
    assert len(when(void(2), assigned(), ended(), known=replace(here, helper=last))) == 1
    supporting = assigned(role=SUPPORTING), ended(role=SUPPORTING)
    assert len(when(void(2), *supporting, known=replace(here, helper=full))) == 1, "supporting takes none"


def test_a_pair_is_not_corrected_to_days_on_which_the_helper_leads_as_many_as_he_can() -> None:
    """Neither by an earlier beginning nor by a later end; apart from himself in this very household."""
    begun = DAY + ONE_DAY
    leads = {HOUSE: [Days(begun, LATER)], "a": [Days(DAY, begun), Days(LATER, LATER + ONE_DAY)], "b": [Days(DAY)]}
    busy = replace(here, helper=replace(free, leads=leads))
    history = assigned(on=begun), ended(on=LATER)
    assert refusal(pair(1, on=DAY), *history, known=busy) == ("helper_full", "data.helper")
    assert len(when(pair(1, on=DAY + 2 * ONE_DAY), *history, known=busy)) == 1
    assert refusal(end(2, on=LATER + ONE_DAY), *history, known=busy) == ("helper_full", "data.helper")
    assert len(when(end(2, on=LATER - ONE_DAY), *history, known=busy)) == 1


def test_and_only_if_nobody_else_leads_by_now() -> None:
    history = assigned(), ended(), assigned(SECOND, on=LATER)
    assert refusal(void(2), *history) == ("household_already_paired", "data.household")
    elsewhere = replace(here, led_elsewhere=True)
    assert refusal(void(2), assigned(), ended(), known=elsewhere) == ("household_already_paired", "data.household")
    between = *history, ended(SECOND, on=LATER + ONE_DAY)
    assert refusal(void(2), *between) == ("pairs_overlap", "data.voids")
    assert len(when(void(2), *between, voided(3, SECOND))) == 1


def test_and_only_if_the_helper_was_not_voided_since() -> None:
    gone = replace(here, helper=replace(free, voided=True))
    assert refusal(void(2), assigned(), ended(), known=gone) == ("helper_voided", "data.helper")
