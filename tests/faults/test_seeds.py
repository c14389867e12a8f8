"""Everything runs, agencies publish, and everything goes wrong that a seed says; every promise holds in the end.

One seed; `./siao test faults --seeds 500` is a night's worth, and `--first S` runs one again.
"""

import os
import random

from shared.events.catalog import COMMANDS, EVENTS
from tests.support.seeded.plan import Plan
from tests.support.seeded.programme import programme
from tests.support.seeded.run import run_seed

SEED = int(os.environ.get("SIAO_TEST_SEED", "2563"))


async def test_every_promise_holds():
    print("\n".join(Plan.of(SEED).lines()))
    result = await run_seed(SEED)
    assert not result.broken, str(result)
    assert result.events.keys() == EVENTS.keys()


def test_every_command_is_sent():
    for seed in range(20):
        phases = programme(random.Random(seed), Plan.of(seed).households)
        sent = {wish.body["type"] for service in phases.values() for wishes in service for wish in wishes}
        assert sent == {type_name for types in COMMANDS.values() for type_name in types}


def test_a_seed_is_a_plan():
    plans = [Plan.of(seed) for seed in range(200)]
    assert plans == [Plan.of(seed) for seed in range(200)]
    assert len({str(plan.acts) for plan in plans}) > 190
