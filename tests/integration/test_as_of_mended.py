"""As of any moment, also where households move, merge, part, and entries are corrected and voided."""

from datetime import date, timedelta

import pytest_asyncio
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.gateway.models import AsOf
from services.gateway.queries import bounds, coverage, explain, merges, timeline
from services.gateway.queries import household as card
from shared.errors import Rejected
from shared.events.codes import Dimension
from tests.support import gateway as g
from tests.support import projections
from tests.support.histories import FIRST_DAY, KEYS, neighbourhoods
from tests.support.log import START, Log
from tests.support.projections import feed

few = settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
seconds = st.integers(0, 12)
points = st.builds(
    lambda second, day: AsOf(known_at=START + timedelta(seconds=second), valid_on=FIRST_DAY + timedelta(day)),
    seconds,
    st.integers(0, 31),
)
LAST = date(2100, 1, 1)


@pytest_asyncio.fixture(scope="module")
async def stage(servers):
    async with g.tables(servers) as (tables, _):
        yield tables


@few
@given(log=neighbourhoods(), pairs=st.lists(st.tuples(points, points), min_size=4, max_size=4))
async def test_the_causes_of_a_change_add_up_to_it(stage, log: Log, pairs: list[tuple[AsOf, AsOf]]):
    """explain.read holds the causes against the difference of the two figures, and raises where they differ."""
    await stage.clear()
    await feed(stage.connection, log.records)
    for one, other in pairs:
        for question in (coverage.Question(), coverage.Question("district", "4019", Dimension.HEALTH)):
            await explain.read(stage.connection, question, one, other)


async def told(connection, key: str, as_of: AsOf | None):
    """Card, timeline and merge; what of them is refused, as a word."""
    row = await card.read(connection, key, *bounds(as_of))
    try:
        shown: object = card.card(key, row, past=as_of is not None)
    except Rejected as refused:
        shown = refused.code
    return shown, await timeline.read(connection, key, "coverage-1", as_of), merges.of(key, row["said"])


@few
@given(log=neighbourhoods(), second=seconds)
async def test_what_was_known_then_is_what_the_facts_of_then_come_to(servers, stage, log: Log, second: int):
    known_at = START + timedelta(seconds=second)
    await stage.clear()
    await feed(stage.connection, log.records)
    then = [r for r in log.records if dict(r.headers)["ce_time"].decode() <= f"{known_at:%Y-%m-%dT%H:%M:%S.999999Z}"]
    async with projections.tables(servers.admin_dsn) as straight:
        await feed(straight, then)
        for key in KEYS:
            as_of = AsOf(known_at=known_at, valid_on=LAST)
            assert await told(stage.connection, key, as_of) == await told(straight, key, None), key
