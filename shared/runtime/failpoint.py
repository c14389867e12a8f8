"""Named points at which a test ends the process as kill -9 does, or holds it, to see that nothing is lost or doubled.

`SIAO_FAILPOINTS=SEED:NAME=PROBABILITY,NAME@HIT=exit,NAME@HIT=SECONDS`, for example
`7:relay.before_delete=0.1,worker.after_commit@3=exit,command.before_commit@2=0.5`: one in ten, the third time that the
process comes by, and the second time half a second's sleep of the whole process. Read once; the draws follow from the
seed, so a failing run can be repeated. Where it is unset, a point does nothing. Only tests set it.
"""

import os
import random
import signal
import time
from collections import Counter
from collections.abc import Mapping
from typing import NamedTuple

from shared.errors import Misconfigured

POINTS = (
    "command.before_commit",
    "command.after_commit",
    "relay.before_send",
    "relay.after_send",
    "relay.before_delete",
    "relay.restoring",
    "follower.before_commit",
    "follower.after_commit",
    "worker.before_commit",
    "worker.after_commit",
    "history.claimed",
    "history.before_commit",
    "rebuild.folding",
    "rebuild.before_switch",
    "rebuild.after_switch",
)
EXIT = "exit"


class Plan(NamedTuple):
    draw: random.Random
    chances: Mapping[str, float]
    hits: Mapping[tuple[str, int], str]
    """(point, how many times it was come by) -> EXIT, or seconds."""


def read(text: str) -> Plan:
    """Raises Misconfigured when a point does not exist."""
    seed, _, points = text.partition(":")
    pairs = [(name.partition("@"), what) for name, _, what in (point.partition("=") for point in points.split(","))]
    if unknown := {name for (name, _, _), _ in pairs if name} - set(POINTS):
        raise Misconfigured(f"SIAO_FAILPOINTS names points that do not exist: {', '.join(sorted(unknown))}")
    chances = {name: float(what) for (name, _, hit), what in pairs if name and not hit}
    hits = {(name, int(hit)): what for (name, _, hit), what in pairs if hit}
    return Plan(random.Random(seed), chances, hits)  # noqa: S311


_plan = read(os.environ.get("SIAO_FAILPOINTS", ""))
_seen: Counter[str] = Counter()


def failpoint(name: str) -> None:
    """Ends the process here without any farewell, or holds it for a while, if the plan says so."""
    if not _plan.chances and not _plan.hits:
        return
    _seen[name] += 1
    what = _plan.hits.get((name, _seen[name]))
    if what == EXIT or (_plan.chances and _plan.draw.random() < _plan.chances.get(name, 0)):
        os.kill(os.getpid(), signal.SIGKILL)
    elif what:
        time.sleep(float(what))
