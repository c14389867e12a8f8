"""Every figure of the projections' tables, folded from events the plain way. Shares no code with the projections."""

from collections.abc import Mapping, Sequence

import asyncpg

from shared.events import envelope
from tests.support import checker, plain
from tests.support.checker import Event, Figures


async def stored(connection: asyncpg.Connection) -> Figures:
    """What the tables say; the connection's search_path names the schema."""
    households = await connection.fetch(
        """SELECT village, cohort, household_class, lead, sum(n)::int FROM households_rollup
           GROUP BY 1, 2, 3, 4 HAVING sum(n) <> 0"""
    )
    helpers = await connection.fetch(
        "SELECT helper, district, kind, office, sum(n)::int FROM helpers_rollup GROUP BY 1, 2, 3, 4"
    )
    freshness = await connection.fetch(
        "SELECT service, agency, sum(events)::int, max(occurred_on)::text FROM freshness GROUP BY 1, 2"
    )
    return {
        **await checker.figures(connection),
        "households": {tuple(row)[:4]: row[4] for row in households},
        "helpers": {tuple(row)[:4]: row[4] for row in helpers},
        "freshness": {tuple(row)[:2]: tuple(row)[2:] for row in freshness},
    }


def expected(events: Sequence[Event]) -> Figures:
    return {
        **checker.expected(events),
        "households": plain.households(events),
        "helpers": plain.helpers(events),
        "freshness": _freshness(events),
    }


def _freshness(events: Sequence[Event]) -> Mapping[tuple[str, str], tuple[int, str]]:
    """(service, agency) -> how many events, and the latest day that one of them tells of."""
    found: dict[tuple[str, str], tuple[int, str]] = {}
    for event in events:
        of = event.service, dict(envelope.split(event.headers))["ce_agency"]
        count, latest = found.get(of, (0, ""))
        found[of] = count + 1, max(latest, event.data["occurred_on"])
    return found
