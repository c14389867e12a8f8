"""Made-up histories for hypothesis: streams of one household or of several that merge, times that tie and cross, any
order of arrival. Corrections and voiding events name any version, known or not; merges may lack an end."""

from datetime import date, timedelta
from itertools import permutations

from hypothesis import strategies as st

from shared.events.base import Event
from shared.events.codes import Dimension, ExitReason, HouseholdClass, Level, PairRole
from tests.support import mended
from tests.support.log import (
    START,
    Log,
    Record,
    assessed,
    assigned,
    classified,
    delivered,
    ended,
    helper,
    household,
    registered,
)

KEY = household(1)
KEYS = tuple(household(n) for n in range(1, 5))
"""Each in another partition."""
FIRST_DAY = date(2019, 9, 15)  # the programme starts on the 20th
days = st.integers(0, 30).map(lambda n: FIRST_DAY + timedelta(n))
dimensions = st.sampled_from([Dimension.HEALTH, Dimension.LIVING])
helpers = st.integers(1, 2).map(helper)
roles = st.sampled_from(PairRole)
villages = st.sampled_from(["40190101", "40190202", "40010101"])
classes = st.sampled_from(HouseholdClass)
versions = st.integers(1, 6)
some_dimensions = st.lists(dimensions, min_size=1, max_size=2, unique=True)
levels = st.sampled_from(Level)
interventions = exits = st.integers(1, 3)


def _registry(key: str) -> st.SearchStrategy[Event]:
    return st.one_of(
        st.builds(classified, st.just(key), classes, days),
        st.builds(lambda on, d, yes: assessed(key, on, **{d.value: yes}), days, dimensions, st.booleans()),
        st.builds(mended.relocated, st.just(key), villages, days),
        st.builds(mended.recoded, st.just(key), villages, villages, days),
        st.builds(mended.registration_corrected, st.just(key), villages, days, st.none()),
        st.builds(mended.relocation_corrected, st.just(key), versions, villages, days),
        st.builds(mended.recoding_corrected, st.just(key), versions, villages, days),
        st.builds(mended.class_corrected, st.just(key), versions, classes, days),
        st.builds(
            lambda v, on, d, yes: mended.assessment_corrected(key, v, on, **{d.value: yes}),
            versions,
            days,
            dimensions,
            st.booleans(),
        ),
        st.builds(mended.entry_voided, st.just(key), st.integers(1, 12).map(lambda n: n % 7 + 1)),
    )


def _case(key: str) -> st.SearchStrategy[Event]:
    return st.one_of(
        *(
            st.builds(lambda n, ds, on, level, make=make: make(key, n, *ds, on=on, level=level), *told)
            for make in (delivered, mended.help_corrected)
            for told in [(interventions, some_dimensions, days, levels)]
        ),
        st.builds(mended.help_voided, st.just(key), interventions),
        *(
            st.builds(make, st.just(key), exits, days, st.sampled_from(ExitReason))
            for make in (mended.exited, mended.exited, mended.exit_corrected)
        ),
        st.builds(mended.exit_voided, st.just(key), exits),
    )


def _pairing(key: str) -> st.SearchStrategy[Event]:
    pair = st.sampled_from([assigned, ended])
    return st.one_of(
        st.builds(lambda make, by, on, role: make(key, by, on, role), pair, helpers, days, roles),
        st.builds(lambda make, by, on, role: make(key, by, on, role), pair, helpers, days, roles),
        st.builds(mended.pair_corrected, st.just(key), helpers, versions, days),
        st.builds(mended.end_corrected, st.just(key), helpers, versions, days),
        st.builds(mended.pairing_voided, st.just(key), helpers, versions),
    )


KINDS = (("household", _registry), ("case", _case), ("pairing", _pairing))


@st.composite
def histories(draw: st.DrawFn) -> Log:
    """Records of one household; in each stream recorded_at never goes back, and streams may tie."""
    log = Log()
    for kind, events in KINDS:
        moment = START
        first = [registered(KEY, on=FIRST_DAY)] if kind == "household" else []
        for event in first + draw(st.lists(events(KEY), max_size=5)):
            moment += timedelta(seconds=draw(st.integers(0, 3)))
            log.add(f"{kind}-{KEY}", event, recorded_at=moment)
    return log


Told = list[tuple[str, Event]]


@st.composite
def _merging(draw: st.DrawFn) -> Told:
    """Both ends; seldom one alone."""
    make = draw(st.sampled_from([mended.merged, mended.merged, mended.unmerged]))
    key, other = draw(st.sampled_from(COUPLES))
    ends: Told = [(f"household-{of}", end) for of, end in zip((key, other), make(key, other, draw(days)), strict=True)]
    return draw(st.sampled_from([ends, ends, ends, ends, ends[:1], ends[1:]]))


COUPLES = [(KEYS[0], KEYS[1]), *permutations(KEYS[:3], 2), (KEYS[2], KEYS[3])]
EVENTS = [st.tuples(st.just(f"{kind}-{key}"), events(key)) for key in KEYS for kind, events in KINDS]
ORDINARY = st.one_of(EVENTS).map(lambda told: [told])
STEPS = st.lists(
    st.tuples(st.integers(0, 12), st.one_of(ORDINARY, _merging(), _merging())),
    min_size=3,
    max_size=14,
)
"""Second, and what was said then."""


@st.composite
def neighbourhoods(draw: st.DrawFn) -> Log:
    """Records of several households that merge and part, in chains and, against the registry's rules, in circles."""
    log, clock = Log(), dict.fromkeys((f"household-{key}" for key in KEYS), START)
    for key, village in zip(KEYS, ["40190101", "40190202", "40010101", "40010101"], strict=True):
        log.add(f"household-{key}", registered(key, village, FIRST_DAY), recorded_at=START)
    for second, said in draw(STEPS):
        for stream, event in said:
            clock[stream] = max(START + timedelta(seconds=second), clock.get(stream, START))
            log.add(stream, event, recorded_at=clock[stream])
    return log


@st.composite
def arrivals(draw: st.DrawFn, records: list[Record]) -> list[list[Record]]:
    """The same records in any order, some of them twice, cut into batches."""
    order = draw(st.permutations(records + draw(st.lists(st.sampled_from(records), max_size=4))))
    cuts = sorted(draw(st.sets(st.integers(1, len(order)), max_size=4)) | {len(order)})
    return [order[a:b] for a, b in zip([0, *cuts], cuts, strict=False)]
