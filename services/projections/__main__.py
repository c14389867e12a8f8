"""python -m services.projections: the worker in the main thread, health and the watch beside it in another.

python -m services.projections fold …: one of the processes of a rebuild (rebuild/folder.py), which needs no Faust.
"""

import logging
import sys
import threading

from services.projections.rebuild import folder
from shared.runtime import collector, hush, logs, web
from shared.runtime.settings import Settings
from shared.runtime.worker import worker as health


def main() -> None:
    if sys.argv[1:2] == ["fold"]:
        folder.main(sys.argv[2:])
    else:
        work()


def work() -> None:
    """Until SIGTERM, or a crash."""
    from services.projections import faust_seam, watch
    from services.projections.worker import Worker

    settings = Settings(service="projections")
    logs.configure("projections", settings.log_level)
    for library in "faust", "mode":
        logging.getLogger(library).setLevel(logging.WARNING)
    hush.install()
    collector.rarely()
    worker = Worker(settings)
    beside = watch.Watch(worker.app, settings)
    app = health("Siao projections", beside.session)
    threading.Thread(target=web.serve, args=(app, settings), daemon=True, name="watch").start()
    beside.may_fold.wait()
    faust_seam.run(worker.app)


if __name__ == "__main__":
    main()
