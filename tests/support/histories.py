"""Made-up histories of one household, for hypothesis: three streams, times that tie and cross, any order of arrival."""

from datetime import date, timedelta

from hypothesis import strategies as st

from shared.events.base import Event
from shared.events.codes import Dimension, HouseholdClass, Level, PairRole
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
FIRST_DAY = date(2019, 9, 15)  # the programme starts on the 20th
days = st.integers(0, 30).map(lambda n: FIRST_DAY + timedelta(n))
dimensions = st.sampled_from([Dimension.HEALTH, Dimension.LIVING])
helpers = st.integers(1, 2).map(helper)
roles = st.sampled_from(PairRole)


def _registry() -> st.SearchStrategy[Event]:
    return st.one_of(
        st.builds(classified, st.just(KEY), st.sampled_from(HouseholdClass), days),
        st.builds(lambda on, d, yes: assessed(KEY, on, **{d.value: yes}), days, dimensions, st.booleans()),
    )


def _case() -> st.SearchStrategy[Event]:
    given = st.lists(dimensions, min_size=1, max_size=2, unique=True)
    return st.builds(
        lambda n, ds, on, level: delivered(KEY, n, *ds, on=on, level=level),
        st.integers(1, 99),
        given,
        days,
        st.sampled_from(Level),
    )


def _pairing() -> st.SearchStrategy[Event]:
    return st.builds(
        lambda make, by, on, role: make(KEY, by, on, role), st.sampled_from([assigned, ended]), helpers, days, roles
    )


@st.composite
def histories(draw: st.DrawFn) -> Log:
    """Records of one household; in each stream recorded_at never goes back, and streams may tie."""
    log = Log()
    for kind, events in (("household", _registry()), ("case", _case()), ("pairing", _pairing())):
        moment = START
        first = [registered(KEY, on=FIRST_DAY)] if kind == "household" else []
        for event in first + draw(st.lists(events, max_size=5)):
            moment += timedelta(seconds=draw(st.integers(0, 3)))
            log.add(f"{kind}-{KEY}", event, recorded_at=moment)
    return log


@st.composite
def arrivals(draw: st.DrawFn, records: list[Record]) -> list[list[Record]]:
    """The same records in any order, some of them twice, cut into batches."""
    order = draw(st.permutations(records + draw(st.lists(st.sampled_from(records), max_size=4))))
    cuts = sorted(draw(st.sets(st.integers(1, len(order)), max_size=4)) | {len(order)})
    return [order[a:b] for a, b in zip([0, *cuts], cuts, strict=False)]
