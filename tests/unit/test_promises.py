"""The judge of a fault run names the promise that was broken, and only that."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from shared.events import envelope
from shared.events.codes import HouseholdClass
from tests.support.checker import Event
from tests.support.log import Log, classified, household, registered, told
from tests.support.seeded import fold, promises

KEY = household(1)


def events() -> list[Event]:
    log, found = Log(), []
    log.add(f"household-{KEY}", registered(KEY))
    for _ in range(3):
        log.add(f"household-{KEY}", classified(KEY, HouseholdClass.WELFARE))
    for record in log.records:
        h, named = told(record), [(name, (value or b"").decode()) for name, value in record.headers]
        place = h["ce_subject"], int(h["ce_version"]), h["ce_id"], h["ce_type"], h["ce_time"]
        found.append(Event("registry", *place, envelope.canonical(named), record.value or b"", h["ce_hash"]))
    return found


Break = Callable[[list[Event]], list[Event]]
BROKEN: dict[str, tuple[Break, set[str]]] = {
    "nothing": (lambda e: e, set()),
    "one is missing": (lambda e: [e[0], *e[2:]], {"versions", "chain"}),
    "one is altered": (lambda e: [e[0], replace(e[1], value=e[1].value + b" "), *e[2:]], {"chain"}),
    "a clock went back": (lambda e: [*e[:3], replace(e[3], recorded_at="2001-01-01T00:00:00.000000Z")], {"times"}),
}


@pytest.mark.parametrize(("change", "broken"), BROKEN.values(), ids=BROKEN.keys())
def test_a_broken_promise_is_named(change: Break, broken: set[str]):
    judges: dict[str, Any] = {"versions": promises.versions, "times": promises.times, "chain": promises.chain}
    found = set()
    for name, judge in judges.items():
        try:
            asyncio.run(judge(None, change(events())))
        except AssertionError:
            found.add(name)
    assert found == broken


def test_a_figure_follows_its_events():
    whole, part = fold.expected(events()), fold.expected(events()[:1])
    assert whole["households"] == {("40190101", "bmn-2561", "welfare", "unpaired"): 1}
    assert part["households"] == {("40190101", "bmn-2561", "", "unpaired"): 1}
    assert whole["freshness"] == {("registry", "cdd-4001"): (4, "2019-10-01")}
