"""Every figure of the projections' tables, folded from events the plain way. Shares no code with the projections."""

from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Any

import asyncpg

from shared.events import envelope
from tests.support import checker
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
    households, helpers = Counter[tuple[str, ...]](), Counter[tuple[str, ...]]()
    in_order = sorted(events, key=lambda e: (envelope.key_of(e.stream), e.recorded_at, e.stream, e.version))
    for _, of_key in groupby(in_order, key=lambda e: envelope.key_of(e.stream)):
        told = [(event.type, event.data) for event in of_key]
        households.update(_household(told))
        helpers.update(_helper(told))
    return {
        **checker.expected(events),
        "households": households,
        "helpers": helpers,
        "freshness": _freshness(events),
    }


Told = Sequence[tuple[str, dict[str, Any]]]
"""Type and data of each event of a household or helper, in order."""


def _household(told: Told) -> list[tuple[str, ...]]:
    place: tuple[str, ...] = ()
    classes: dict[str, str] = {}
    leads: list[str] = []
    for kind, data in told:
        if kind == "HouseholdRegistered.v1":
            place = (data["village"], data.get("cohort", ""))
        elif kind == "HouseholdClassified.v1":
            classes[data["occurred_on"]] = data["household_class"]
        elif kind == "PairAssigned.v1" and data["role"] == "lead":
            leads.append(data["helper"])
        elif kind == "PairEnded.v1" and data["role"] == "lead" and data["helper"] in leads:
            leads.remove(data["helper"])
    household_class = classes[max(classes)] if classes else ""
    return [(*place, household_class, "paired" if leads else "unpaired")] if place else []


def _helper(told: Told) -> list[tuple[str, ...]]:
    enrolled = [data for kind, data in told if kind == "HelperEnrolled.v1"]
    return [(one["helper"], one["district"], one["kind"], one["office"]) for one in enrolled[-1:]]


def _freshness(events: Sequence[Event]) -> Mapping[tuple[str, str], tuple[int, str]]:
    """(service, agency) -> how many events, and the latest day that one of them tells of."""
    found: dict[tuple[str, str], tuple[int, str]] = {}
    for event in events:
        of = event.service, dict(envelope.split(event.headers))["ce_agency"]
        count, latest = found.get(of, (0, ""))
        found[of] = count + 1, max(latest, event.data["occurred_on"])
    return found
