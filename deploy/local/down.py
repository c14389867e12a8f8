"""`down`: ends the launcher of a home in order, and then whatever is left of it."""

import psutil
from rich.console import Console

from deploy.local import strays
from deploy.local.home import Home, read_json
from deploy.local.stack import launcher
from deploy.local.supervisor import STOP_SECONDS


def run(home: Home, console: Console) -> None:
    if not home.run.is_dir():
        _nothing(home, console)
        return
    ended = _end_launcher(home)
    swept = strays.sweep(home)
    if ended or swept:
        console.print("Stopped. · หยุดแล้ว")
    else:
        _nothing(home, console)


def _nothing(home: Home, console: Console) -> None:
    console.print(f"Nothing runs in {home.root}. · ไม่มีอะไรทำงานอยู่", soft_wrap=True)


def _end_launcher(home: Home) -> bool:
    """Asks it to stop and waits; False when there is none. Its number may be another's by now: the time tells."""
    known = read_json(launcher(home))
    try:
        process = psutil.Process(known.get("pid", -1))
        if process.create_time() != known["started"]:
            return False
        process.terminate()
        process.wait(STOP_SECONDS + 10)
    except (psutil.NoSuchProcess, ValueError):
        return False
    except psutil.TimeoutExpired:
        process.kill()
    return True
