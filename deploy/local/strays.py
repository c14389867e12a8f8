"""Finds and ends what a killed launcher or supervisor left behind.

A process is ours when its environment carries this home's random marker, which only what our supervisord started has:
a process number may have been given to somebody else since, and a name says nothing at all.
"""

import contextlib
import signal
from dataclasses import dataclass

import psutil

from deploy.local.home import Home, marker
from deploy.local.supervisor import MARKER, STOP_SECONDS


@dataclass(frozen=True)
class Stray:
    process: psutil.Process
    program: str
    """Its name in supervisord's settings; empty for supervisord itself."""


def find(home: Home) -> list[Stray]:
    """Live processes of this home, supervisord first."""
    found: list[Stray] = []
    if not (word := marker(home)):
        return found
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            environment = process.environ()
            if environment.get(MARKER) == word and process.status() != psutil.STATUS_ZOMBIE:
                found.append(Stray(process, environment.get("SUPERVISOR_PROCESS_NAME", "")))
    return sorted(found, key=lambda stray: stray.program)


def sweep(home: Home) -> int:
    """Ends them, in order if a supervisord is left to do it, else one by one; kills what stays. Answers how many."""
    found = find(home)
    if found and not found[0].program:
        _signal(found[0].process, signal.SIGTERM)
        psutil.wait_procs([stray.process for stray in found], timeout=STOP_SECONDS + 3)
    rest = find(home)
    for stray in rest:  # PostgreSQL takes SIGTERM as "when the last client has gone"
        _signal(stray.process, signal.SIGINT if stray.program == "postgres" else signal.SIGTERM)
    _, alive = psutil.wait_procs([stray.process for stray in rest], timeout=STOP_SECONDS)
    for process in alive:
        _signal(process, signal.SIGKILL)
    psutil.wait_procs(alive, timeout=5)
    return len(found)


def _signal(process: psutil.Process, which: signal.Signals) -> None:
    with contextlib.suppress(psutil.Error):  # it has just ended by itself
        process.send_signal(which)
