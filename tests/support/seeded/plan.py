"""What will go wrong in a run, and when: everything is derived from one seed, so that the run can be repeated."""

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from shared.events.catalog import SERVICES
from shared.events.topics import EVENT_TOPICS, FOLLOWERS
from shared.runtime.failpoint import EXIT, POINTS

SECONDS = 12.0
"""In which agencies publish and everything is broken; then it must all come right by itself."""
SESSION_SECONDS = 6.0
"""Of a worker (services/projections/faust_seam.py): a longer sleep makes a zombie of it."""
MOST = {"postgres stops at once": 2, "kafka is killed": 1, "kafka restarts": 1, "kafka loses its tail": 1, "rebuild": 1}
"""How often an act may come in a run, where it takes long."""
ACTS = {
    "kill -9": 5,
    "SIGTERM": 1,
    "SIGSTOP": 3,
    "postgres stops at once": 2,
    "kafka is killed": 1,
    "kafka restarts": 1,
    "kafka loses its tail": 2,
    "poison": 2,
    "redelivery": 2,
    "rebuild": 1,
    "clock is set": 2,
}
"""Act -> how likely it is."""
DAY = 86_400.0
ON_PROCESSES = ("kill -9", "SIGTERM", "SIGSTOP")
ON_TOPICS = ("kafka loses its tail", "poison", "redelivery")
REBUILDS = ("", "rebuild.folding@4=exit", "rebuild.before_switch@1=exit", "rebuild.after_switch@1=exit")
"""Where a rebuild may be killed."""
PART_OF_POINT = {"command": "api", "relay": "relay", "follower": "follower", "worker": "projections"}
HITS = {"command": 12, "relay": 20, "follower": 12, "worker": 60}
"""About how often a process comes by in a run."""


@dataclass(frozen=True)
class Act:
    at: float
    """Seconds from the begin; later where the act before it takes longer."""
    what: str
    whom: str = ""
    """A process, a topic, or the point at which a rebuild is killed."""
    seconds: float = 0.0
    """For which it is held; by which a service's clock differs from the right time."""

    def __str__(self) -> str:
        held = f" {self.seconds:+.1f} s" if self.seconds else ""
        return f"{self.at:.1f} s {self.what} {self.whom}".rstrip() + held


@dataclass(frozen=True)
class Plan:
    seed: int
    households: int
    workers: int
    second_relays: tuple[str, ...]
    """Services that have two."""
    acts: tuple[Act, ...]
    points: Mapping[str, Sequence[str]]
    """Process -> SIAO_FAILPOINTS of its first life, of its second …; later ones have none."""

    @classmethod
    def of(cls, seed: int) -> "Plan":
        draw = random.Random(f"siao {seed}")
        workers = draw.choice((1, 2, 2, 3))
        second = tuple(service for service in SERVICES if draw.random() < 0.4)
        names = processes(workers, second)
        acts = tuple(_acts(draw, names))
        points = {name: tuple(_lives(draw, name)) for name in names if draw.random() < 0.6}
        return cls(
            seed, draw.randint(60, 160), workers, second, acts, {n: lives for n, lives in points.items() if lives}
        )

    @property
    def lossy(self) -> bool:
        return any(act.what == "kafka loses its tail" for act in self.acts)

    def lines(self) -> Iterator[str]:
        """Everything that was derived."""
        second = f", a second relay of {', '.join(self.second_relays)}" if self.second_relays else ""
        yield f"seed {self.seed}: {self.households} households, {self.workers} workers{second}"
        yield "  faults: " + "; ".join(map(str, self.acts))
        for name, lives in self.points.items():
            yield f"  fail points of {name}: " + " | ".join(lives)


def processes(workers: int, second_relays: Sequence[str]) -> list[str]:
    """The names of all processes, as tests/support/stack.py gives them."""
    names = [f"{service} {part}" for service in SERVICES for part in ("api", "relay")]
    names += [f"{service} follower" for service in SERVICES if service in FOLLOWERS]
    names += [f"{service} relay 2" for service in second_relays]
    return [*names, "projections", *(f"projections {n}" for n in range(2, workers + 1)), "gateway"]


def _acts(draw: random.Random, names: Sequence[str]) -> Iterator[Act]:
    left = dict(MOST)
    for moment in sorted(draw.uniform(0.3, SECONDS) for _ in range(draw.randint(7, 12))):
        at = round(moment, 1)
        [what] = draw.choices([*ACTS], [*ACTS.values()])
        if what in left:
            left[what] -= 1
            if left[what] < 0:
                continue
        if what in ON_PROCESSES:
            longest = SESSION_SECONDS * 2 if what == "SIGSTOP" else 0
            zombie = what == "SIGSTOP" and draw.random() < 0.4
            whom = draw.choice([name for name in names if "projections" in name] if zombie else names)
            yield Act(at, what, whom, round(draw.uniform(0.3, longest), 1) if longest else 0)
        elif what == "clock is set":
            yield Act(at, what, draw.choice(SERVICES), draw.choice((-DAY, DAY, -60.0, 0.0)))
        elif what == "rebuild":
            yield Act(at, what, draw.choice(REBUILDS))
        elif what in ON_TOPICS:
            yield Act(at, what, draw.choice([topic.name for topic in EVENT_TOPICS.values()]))
        else:
            yield Act(at, what)


def _lives(draw: random.Random, name: str) -> Iterator[str]:
    """`command.before_commit@3=exit,command.after_commit@5=0.7`, with a number before it that nothing uses."""
    for kind, part in PART_OF_POINT.items():
        if part not in name.split():
            continue
        points = [point for point in POINTS if point.startswith(kind)]
        for _ in range(draw.randint(1, 4)):
            hits = sorted({(draw.choice(points), draw.randint(1, HITS[kind])) for _ in range(draw.randint(1, 3))})
            yield "0:" + ",".join(f"{point}@{hit}={_what(draw)}" for point, hit in hits)


def _what(draw: random.Random) -> str:
    return EXIT if draw.random() < 0.7 else str(draw.choice((0.3, 1.5, SESSION_SECONDS + 2)))
