"""In which order what was fetched is folded: the topics of a partition number abreast, each as far as the others are.

Kafka answers a worker that has much to catch up with one topic after another, in any order. A household's visits would
be folded before its registration, and the household once more, from all of its facts, when that comes: four times the
work. So what a topic has beyond another one's backlog waits here, by the time at which the records were recorded. That
is an order to save work and nothing else: the engine comes to the same rows in any.
"""

import math
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from heapq import merge
from itertools import accumulate, chain
from typing import Any

from faust.transport.utils import DefaultSchedulingStrategy
from faust.types import TP

from services.projections.facts import Held
from services.projections.fetched import Unread

WINDOW = 2_000
"""Records of a partition number that come together, some more with the last of them."""
OVERDUE_SECONDS = 2.0
"""For so long a topic is waited for that has more, and brings nothing."""
WAITING_SECONDS = 60.0
"""Then what waits goes on, though others are far behind: neither a long backlog nor a clock set wrong stops it."""


@dataclass
class Batch:
    """Consecutive records of one partition. To Faust it looks like one of aiokafka's records, with the last offset."""

    topic: str
    partition: int
    offset: int
    unread: Sequence[Unread]
    size: int
    """How many records, at most."""
    start: int
    """The position from which they were fetched: nothing stands between it and the first record."""
    assignment: int
    """Counts assignments; an older batch is of no use, its records are fetched again."""
    window: int
    """Those of one window are of one time, and best folded together."""
    timestamp: int
    timestamp_type: int
    headers: tuple[()] = ()
    key: None = None
    checksum: None = None
    serialized_key_size: int = 0
    serialized_value_size: int = 0
    kept: Any = None
    """What was made of its records, for who needs them again."""

    @property
    def value(self) -> "Batch":
        return self

    def records(self) -> Iterator[Held]:
        """To be asked for once. Raises aiokafka's CorruptRecordException."""
        return chain.from_iterable(batch.records() for batch in self.unread)


class BatchScheduling(DefaultSchedulingStrategy):
    """Remembers where each partition stands, to tell a batch where it starts, and what waits for other topics."""

    def __init__(self) -> None:
        self.assignment = 0
        self._window = 0
        self._begin({}, lambda _: False)

    def assigned(self, positions: Mapping[tuple[str, int], int], is_behind: Callable[[TP], bool]) -> None:
        """`is_behind`: whether the log holds more of a partition than was fetched."""
        self.assignment += 1
        self._begin(dict(positions), is_behind)

    def _begin(self, positions: dict[tuple[str, int], int], is_behind: Callable[[TP], bool]) -> None:
        self.positions, self._is_behind = positions, is_behind
        self._of_number: dict[int, list[TP]] = defaultdict(list)
        for place in positions:
            self._of_number[place[1]].append(TP(*place))
        self._waiting: dict[TP, list[Unread]] = {}
        self._waits_since: dict[TP, float] = {}
        self._come: dict[TP, int] = {}
        """Until when everything has come that a partition holds."""
        self._missed_since: dict[TP, float] = {}

    @property
    def held(self) -> Set[TP]:
        """Of these some waits: no more need be fetched."""
        return self._waiting.keys()

    def iterate(self, records: Mapping[TP, list[Unread]]) -> Iterator[tuple[TP, Any]]:
        now = time.monotonic()
        for tp, fetched in records.items():
            self._waiting.setdefault(tp, []).extend(fetched)
            self._come[tp] = max(self._come.get(tp, -1), *(unread.until for unread in fetched))
            self._missed_since.pop(tp, None)
        for number in sorted({tp.partition for tp in self._waiting}):
            yield from self._batches(self._ripe(number, now))

    def _ripe(self, number: int, now: float) -> dict[TP, list[Unread]]:
        """What is handed on of a partition number: up to where the topic has come that is furthest behind."""
        awaited = [tp for tp in self._of_number[number] if self._is_awaited(tp, now)]
        until = min((self._come.get(tp, -1) for tp in awaited), default=math.inf)
        ripe: dict[TP, list[Unread]] = {}
        for tp in [tp for tp in self._waiting if tp.partition == number]:
            waiting, since = self._waiting.pop(tp), self._waits_since.pop(tp, now)
            count = _count(waiting, until) if now - since < WAITING_SECONDS else len(waiting)
            if count:
                ripe[tp] = waiting[:count]
            if waiting[count:]:
                self._waiting[tp], self._waits_since[tp] = waiting[count:], now if count else since
        return ripe

    def _is_awaited(self, tp: TP, now: float) -> bool:
        """Whether more of it is to come, and soon."""
        return self._is_behind(tp) and now - self._missed_since.setdefault(tp, now) < OVERDUE_SECONDS

    def _batches(self, ripe: Mapping[TP, Sequence[Unread]]) -> Iterator[tuple[TP, Batch]]:
        """Window by window, in each a batch of each topic."""
        in_time = merge(*([(until, tp, unread) for until, unread in _in_time(some)] for tp, some in ripe.items()))
        window, size = defaultdict[TP, list[Unread]](list), 0
        for _, tp, unread in in_time:
            window[tp].append(unread)
            size += unread.next_offset - unread.since
            if size >= WINDOW:
                yield from self._of_window(window)
                window, size = defaultdict(list), 0
        yield from self._of_window(window)

    def _of_window(self, window: Mapping[TP, Sequence[Unread]]) -> Iterator[tuple[TP, Batch]]:
        self._window += 1
        for tp, some in window.items():
            yield tp, self._batch((tp.topic, tp.partition), some)

    def _batch(self, place: tuple[str, int], some: Sequence[Unread]) -> Batch:
        last, size = some[-1].batch, some[-1].next_offset - some[0].since
        start = self.positions.get(place, some[0].since)
        self.positions[place] = last.next_offset
        told = last.max_timestamp, last.timestamp_type
        return Batch(*place, last.next_offset - 1, some, size, start, self.assignment, self._window, *told)


def _in_time(some: Iterable[Unread]) -> Iterator[tuple[int, Unread]]:
    """With the latest time until there: no record overtakes one before it."""
    some = list(some)
    return zip(accumulate((unread.until for unread in some), max), some, strict=True)


def _count(waiting: Sequence[Unread], until: float) -> int:
    """How many, from the first on, tell of no later time."""
    return next((count for count, unread in enumerate(waiting) if unread.until > until), len(waiting))
