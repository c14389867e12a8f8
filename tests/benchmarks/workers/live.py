"""The projections' worker as it is, in a consumer group of its own: a new group has no former member to wait for.

It begins when everything is imported and the file BENCH_GO is there, so that several begin at once.
"""

import os
import time
from pathlib import Path

from services.projections import __main__ as projections
from services.projections import faust_seam, watch, worker

NEEDED = (watch, worker)

if __name__ == "__main__":
    faust_seam.GROUP = os.environ["BENCH_GROUP"]
    go = Path(os.environ["BENCH_GO"])
    go.with_name(str(os.getpid())).touch()
    while not go.exists():
        time.sleep(0.01)
    projections.main()
