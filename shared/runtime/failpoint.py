"""Named points at which a test ends the process as kill -9 does, to see that nothing is lost and nothing counts twice.

`SIAO_FAILPOINTS=SEED:NAME=PROBABILITY,NAME=PROBABILITY`, for example `7:relay.before_delete=0.1`. Read once; the draws
follow from the seed, so a failing run can be repeated. Where it is unset, a point does nothing. Only tests set it.
"""

import os
import random
import signal

from shared.errors import Misconfigured

POINTS = (
    "relay.before_send",
    "relay.after_send",
    "relay.before_delete",
    "relay.restoring",
    "follower.before_commit",
    "follower.after_commit",
    "worker.before_commit",
    "worker.after_commit",
    "rebuild.before_switch",
    "rebuild.after_switch",
)


def _read(plan: str) -> tuple[random.Random, dict[str, float]]:
    seed, _, points = plan.partition(":")
    pairs = (point.partition("=") for point in points.split(",") if point)
    chances = {name: float(chance) for name, _, chance in pairs}
    if unknown := chances.keys() - set(POINTS):
        raise Misconfigured(f"SIAO_FAILPOINTS names points that do not exist: {', '.join(sorted(unknown))}")
    return random.Random(seed), chances  # noqa: S311


_draw, _chances = _read(os.environ.get("SIAO_FAILPOINTS", ""))


def failpoint(name: str) -> None:
    """Ends the process here, without any farewell, if the plan says so."""
    if _chances and _draw.random() < _chances.get(name, 0):
        os.kill(os.getpid(), signal.SIGKILL)
