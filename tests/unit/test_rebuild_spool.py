"""What a rebuild holds at once is bounded, whatever the length of a partition, and nothing gets lost on the way."""

from collections import defaultdict
from contextlib import ExitStack

import pytest

from services.projections.facts import Held
from services.projections.rebuild.spool import Spool

HEAP = 200


def record(offset: int, keys: int) -> Held:
    key = None if offset % 97 == 0 else f"hh_{offset % keys}".encode()
    value = None if offset % 89 == 0 else b"{}"
    return Held("siao.registry.v1", 3, offset, key, value, [("ce_id", b"1"), ("ce_time", None)])


@pytest.mark.parametrize("total", [0, 1, HEAP, 10 * HEAP, 80 * HEAP])
def test_heaps_stay_small_while_the_log_grows(total: int):
    records = [record(offset, keys=4 * HEAP) for offset in range(total)]
    with ExitStack() as stack:
        spool = Spool(stack, total, HEAP)
        for first in range(0, total, 70):
            spool.add(records[first : first + 70])
        heaps = list(spool.heaps())
    assert max(map(len, heaps), default=0) <= 2 * HEAP
    assert sorted((r for heap in heaps for r in heap), key=lambda r: r.offset) == records
    where: dict[bytes | None, set[int]] = defaultdict(set)
    for number, heap in enumerate(heaps):
        assert [r.offset for r in heap] == sorted(r.offset for r in heap), "the order of the log"
        for r in heap:
            where[r.key].add(number)
    assert all(len(numbers) == 1 for numbers in where.values()), "a key in two heaps"
