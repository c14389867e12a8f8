"""Whatever is asked of pairs, in whatever order: nobody is overloaded, nobody led by two, no history breaks a state."""

from datetime import date, timedelta
from itertools import combinations
from typing import get_args

from hypothesis import given
from hypothesis import strategies as st

from services.pairing.domain import PairCommand, decide
from services.pairing.helpers import (
    CAPACITY,
    HELPER_START,
    Days,
    HelperCommand,
    HelperEvent,
    HelperLoad,
    KnownHelper,
    decide_helper,
    evolve_helper,
)
from services.pairing.known import Known
from services.pairing.pairs import START, PairEvent, Pairing, evolve
from shared.entries import Author
from shared.errors import Rejected
from shared.events import codes, pairing
from shared.events.codes import EndReason, HelperKind
from shared.standing import Standing

DAY = date(2019, 10, 1)
HOUSES = ["hh_" + letter * 20 for letter in "xyz"]
KINDS = {"hp_" + "a" * 20: HelperKind.OFFICER, "hp_" + "b" * 20: HelperKind.PERSON, "hp_" + "c" * 20: HelperKind.GROUP}

days = st.integers(0, 5).map(lambda n: DAY + timedelta(days=n))
households, helpers, versions = st.sampled_from(HOUSES), st.sampled_from(sorted(KINDS)), st.integers(1, 8)
ends = st.sampled_from([EndReason.HELPER_RETIRED, EndReason.ENTERED_BY_MISTAKE])
roles, reasons, chosen = (st.sampled_from(kind) for kind in (codes.PairRole, codes.VoidReason, codes.Chosen))
about = {"occurred_on": days, "household": households, "helper": helpers}
enrolment = {
    "occurred_on": days,
    "kind": st.sampled_from(HelperKind),
    "district": st.just("4019"),
    "office": st.just("cdd"),
}
one, officer = {"helper": st.just("hp_" + "a" * 20)}, {"occurred_on": days, "helper": st.just("hp_" + "a" * 20)}

commands = st.one_of(
    st.builds(pairing.AssignPair, **about, role=roles, chosen=chosen),
    st.builds(pairing.EndPair, **about, reason=ends),
    st.builds(pairing.CorrectPair, **about, corrects=versions, chosen=chosen),
    st.builds(pairing.CorrectPairEnd, **about, corrects=versions, reason=ends),
    st.builds(pairing.VoidPairingEntry, **about, voids=versions, reason=reasons),
)
kinds = st.sampled_from(HelperKind)
events = st.one_of(
    st.builds(pairing.PairAssigned, **about, helper_kind=kinds, role=roles, chosen=chosen),
    st.builds(pairing.PairEnded, **about, role=roles, reason=ends),
    st.builds(pairing.PairCorrected, **about, corrects=versions, chosen=chosen),
    st.builds(pairing.PairEndCorrected, **about, corrects=versions, reason=ends),
    st.builds(pairing.PairingEntryVoided, **about, role=roles, voids=versions, reason=reasons),
)
helper_commands = st.one_of(
    st.builds(pairing.EnrolHelper, **enrolment, **one),
    st.builds(pairing.CorrectHelper, **enrolment, **one),
    st.builds(pairing.VoidHelper, **officer, reason=reasons),
)
helper_events = st.one_of(
    st.builds(pairing.HelperEnrolled, **enrolment, **one),
    st.builds(pairing.HelperCorrected, **enrolment, **one),
    st.builds(pairing.HelperVoided, **officer, reason=reasons),
)
authors = st.sampled_from([Author("cdd"), Author("cdd"), Author("red-cross"), Author("office", secretariat=True)])


@given(st.lists(st.tuples(commands, authors), max_size=30))
def test_no_helper_is_overloaded_and_no_household_led_by_two(asked: list[tuple[PairCommand, Author]]) -> None:
    states = dict.fromkeys(HOUSES, START)

    def known(command: PairCommand, author: Author) -> Known:
        return Known(author, Standing(), "4019", helper(command.helper))

    def helper(who: str) -> HelperLoad:
        leads = {
            house: [Days(s.pair.occurred_on, s.until) for s in state.led if s.pair.helper == who]
            for house, state in states.items()
        }
        return HelperLoad(KINDS[who], "4019", DAY, leads)

    for command, author in asked:
        before = states[command.household]
        try:
            decided = decide(before, command, known(command, author))
        except Rejected:
            continue
        after = before
        for event in decided:
            after = evolve(after, event, author.agency)
        states[command.household] = after
        assert decide(after, command, known(command, author)) == [], "the same command twice adds nothing"
        assert not [pair for pair in combinations(after.spans, 2) if pair[0].overlaps(pair[1])]
        assert all(helper(who).most_led(Days(date.min)) <= (CAPACITY[kind] or 99) for who, kind in KINDS.items())


@given(st.lists(events, max_size=15))
def test_any_events_of_pairs_in_any_order_make_a_state(history: list[PairEvent]) -> None:
    state: Pairing = START
    for event in history:
        state = evolve(state, event, "cdd")
    assert state.version == len(history)
    assert len(list(state.spans)) >= len(state.active)


@given(st.lists(st.tuples(helper_commands, authors), max_size=12))
def test_of_a_helper_too_the_same_command_twice_adds_nothing(asked: list[tuple[HelperCommand, Author]]) -> None:
    state, load = HELPER_START, None
    for command, author in asked:
        known = KnownHelper("hp_" + "a" * 20, author, load=load)
        try:
            decided = decide_helper(state, command, known)
        except Rejected:
            continue
        for event in decided:
            state = evolve_helper(state, event, author.agency)
            load = HelperLoad(HelperKind.OFFICER, "4019", DAY)
        assert decide_helper(state, command, KnownHelper("hp_" + "a" * 20, author, load=load)) == []


@given(st.lists(helper_events, max_size=8))
def test_any_events_of_a_helper_in_any_order_make_a_state(history: list[HelperEvent]) -> None:
    state = HELPER_START
    for event in history:
        state = evolve_helper(state, event, "cdd")
    assert (state.enrolment is None) == (not [e for e in history if isinstance(e, pairing.HelperEnrolled)])


def test_every_kind_is_asked_and_told() -> None:
    built = f"{commands} {events} {helper_commands} {helper_events}"
    every = [*get_args(pairing.PairingCommand), *get_args(pairing.PairingEvent)]
    assert [kind.__name__ for kind in every if f"builds({kind.__name__}," not in built] == []
