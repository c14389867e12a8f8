"""The checker's plain fold and the projections' fold, two programs by the same rules, come to the same figures."""

import json
from collections import Counter
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from hypothesis import given, settings

from tests.support import plain
from tests.support.histories import neighbourhoods
from tests.support.log import START, Log, Record, enrolled, helper, told
from tests.support.mended import helper_corrected, helper_voided
from tests.support.world import straight

EVER = date.max, START + timedelta(days=1)


@dataclass(frozen=True)
class Stored:
    type: str
    data: dict[str, Any]
    recorded_at: str
    stream: str
    version: int


def stored(record: Record) -> Stored:
    head = told(record)
    place = head["ce_time"], head["ce_subject"], int(head["ce_version"])
    return Stored(head["ce_type"], json.loads(record.value or b""), *place)


@settings(max_examples=300, deadline=None)
@given(neighbourhoods())
def test_both_folds_come_to_the_same(log: Log):
    log.add(f"helper-{helper(1)}", enrolled(helper(1)))
    log.add(f"helper-{helper(2)}", enrolled(helper(2)))
    log.add(f"helper-{helper(1)}", helper_corrected(helper(1)))
    log.add(f"helper-{helper(2)}", helper_voided(helper(2)))
    events, world = [stored(record) for record in log.records], straight(log)
    covered, led = world.sums("coverage", *EVER), Counter[str]()
    assert plain.coverage(events) == {
        cell[1:]: n for cell, n in covered.items() if cell[0] == "coverage-1" and cell[-1] in ("need", "reached")
    }
    for (by, role, _), n in world.sums("caseload", *EVER).items():
        led[by] += n if role == "lead" else 0
    assert plain.leads(events) == led
    assert plain.households(events) == world.sums("households", *EVER)
    assert plain.helpers(events) == world.sums("helpers", *EVER)
