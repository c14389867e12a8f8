"""Whatever is asked of households and in whatever order: the same twice adds nothing, and no history breaks a state."""

from datetime import date, timedelta
from typing import get_args

from hypothesis import given
from hypothesis import strategies as st

from services.registry.domain import Known, decide
from services.registry.household import START, Household, evolve
from shared.entries import Author
from shared.errors import Rejected
from shared.events import codes, recoding, registry
from shared.events.base import HouseholdId

HOUSES = ["hh_" + letter * 20 for letter in "abc"]
DAY = date(2019, 9, 20)

houses, versions = st.sampled_from(HOUSES), st.integers(1, 8)
days = st.integers(-2, 4).map(lambda n: DAY + timedelta(days=n))
villages, classes = st.sampled_from(["40190101", "40190102"]), st.sampled_from(codes.HouseholdClass)
reasons, cohorts = st.sampled_from(codes.VoidReason), st.sampled_from([None, codes.Cohort.BMN_2561])
needs = st.lists(
    st.builds(registry.Need, dimension=st.sampled_from(codes.Dimension), in_need=st.booleans()), min_size=1
).map(lambda many: tuple({need.dimension: need for need in many}.values()))
about = {"occurred_on": days, "household": houses}
finding = {"needs": needs, "source": st.sampled_from(codes.Source), "interviewer": st.just("cdd")}
nobody, somebody = st.just(()), (registry.MemberEntry(relation=codes.Relation.HEAD),)

commands = st.one_of(
    st.builds(registry.RegisterHousehold, **about, village=villages, cohort=cohorts, members=st.just(somebody)),
    st.builds(registry.ClassifyHousehold, **about, household_class=classes),
    st.builds(registry.AssessNeeds, **about, **finding),
    st.builds(registry.RelocateHousehold, **about, village=villages),
    st.builds(recoding.RecodeHousehold, **about, was=villages, village=villages),
    st.builds(registry.MergeHousehold, **about, into=houses),
    st.builds(registry.UnmergeHousehold, **about, out_of=houses),
    st.builds(registry.CorrectHousehold, **about, village=villages, cohort=cohorts),
    st.builds(registry.CorrectRelocation, **about, corrects=versions, village=villages),
    st.builds(recoding.CorrectRecoding, **about, corrects=versions, village=villages),
    st.builds(registry.CorrectClassification, **about, corrects=versions, household_class=classes),
    st.builds(registry.CorrectAssessment, **about, corrects=versions, **finding),
    st.builds(registry.VoidHouseholdEntry, **about, voids=versions, reason=reasons),
)
events = st.one_of(
    st.builds(registry.HouseholdRegistered, **about, village=villages, cohort=cohorts, members=nobody),
    st.builds(registry.HouseholdClassified, **about, household_class=classes),
    st.builds(registry.NeedsAssessed, **about, **finding),
    st.builds(registry.HouseholdRelocated, **about, village=villages),
    st.builds(recoding.HouseholdRecoded, **about, was=villages, village=villages),
    st.builds(registry.HouseholdMerged, **about, into=houses),
    st.builds(registry.HouseholdAbsorbed, **about, absorbed=houses),
    st.builds(registry.HouseholdUnmerged, **about, out_of=houses),
    st.builds(registry.HouseholdReleased, **about, released=houses),
    st.builds(registry.HouseholdCorrected, **about, village=villages, cohort=cohorts),
    st.builds(registry.RelocationCorrected, **about, corrects=versions, village=villages),
    st.builds(recoding.RecodingCorrected, **about, corrects=versions, village=villages),
    st.builds(registry.ClassificationCorrected, **about, corrects=versions, household_class=classes),
    st.builds(registry.AssessmentCorrected, **about, corrects=versions, **finding),
    st.builds(registry.HouseholdEntryVoided, **about, voids=versions, reason=reasons),
)
authors = st.sampled_from([Author("cdd"), Author("cdd"), Author("red-cross"), Author("office", secretariat=True)])
registered = [
    registry.RegisterHousehold(occurred_on=DAY, household=house, village="40190101", members=somebody)
    for house in HOUSES
]


def asked(
    states: dict[HouseholdId, Household], command: registry.RegistryCommand, by: Author
) -> list[registry.RegistryEvent]:
    household = command.household or ""
    other = household
    if isinstance(command, registry.MergeHousehold | registry.UnmergeHousehold):
        other = command.into if isinstance(command, registry.MergeHousehold) else command.out_of
    return decide(states[household], command, Known(household, by, other=states[other]))


@given(st.lists(st.tuples(commands, authors), max_size=25))
def test_deciding_the_same_command_twice_adds_nothing(
    wishes: list[tuple[registry.RegistryCommand, Author]],
) -> None:
    states = dict.fromkeys(HOUSES, START)
    for command, by in [*((one, Author("cdd")) for one in registered), *wishes]:
        try:
            decided = asked(states, command, by)
        except Rejected:
            continue
        for event in decided:
            states[event.household] = evolve(states[event.household], event, by.agency)
        assert asked(states, command, by) == []
        assert_whole(states)


def assert_whole(states: dict[HouseholdId, Household]) -> None:
    """Every merger has its two ends, none goes round, and nothing dated lies before a registration."""
    into = {a: s.standing.merged_into for a, s in states.items() if s.standing and s.standing.merged_into}
    assert {(b, a) for a, b in into.items()} == {(b, a) for b, s in states.items() for a in s.absorbed}
    for house in HOUSES:
        steps, at = 0, house
        while at in into:
            steps, at = steps + 1, into[at]
            assert steps < len(HOUSES)
    for state in states.values():
        for home in state.holding(registry.HouseholdRegistered):
            recoded = (event.occurred_on for event in state.holding(recoding.HouseholdRecoded))
            assert all(day >= home.occurred_on for day in (*state.classes, *state.relocations, *recoded))


@given(st.lists(events, max_size=20))
def test_any_events_in_any_order_make_a_state(history: list[registry.RegistryEvent]) -> None:
    state = START
    for event in history:
        state = evolve(state, event, "cdd")
    assert state.version == len(history)
    assert all(isinstance(told, dict) for told in (state.classes, state.findings, state.relocations))
    assert state.standing is None or state.registration is not None


def test_every_kind_is_asked_and_told() -> None:
    built = f"{commands} {events}"
    kinds = [*get_args(registry.RegistryCommand), *get_args(registry.RegistryEvent)]
    assert [kind.__name__ for kind in kinds if f"builds({kind.__name__}," not in built] == []
