"""`logs`: the ends of the processes' log files, and what is added to them."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

from deploy.local.health import tail
from deploy.local.home import Home
from deploy.local.trouble import Trouble

PAUSE = 0.3


def show(home: Home, service: str, *, lines: int, follow: bool) -> None:
    """Prints to standard output. Raises Trouble when there is no such log."""
    files = choose(home, service)
    width = max(len(path.stem) for path in files)
    for path in files:
        for line in tail(path, lines).splitlines():
            print(_named(path, width, line) if len(files) > 1 else line)
    if follow:
        for path, line in _grow(files):
            print(_named(path, width, line) if len(files) > 1 else line, flush=True)


def choose(home: Home, service: str) -> list[Path]:
    """The one file, or all. Raises Trouble."""
    there = {path.stem: path for path in sorted(home.logs.glob("*.log"))} if home.logs.is_dir() else {}
    if not there:
        raise Trouble(
            f"Nothing was started in {home.root} yet, so there are no logs.",
            f"ยังไม่เคยเริ่มระบบใน {home.root} จึงไม่มีบันทึก",
        )
    if not service:
        return list(there.values())
    if service not in there:
        raise Trouble(
            f"There is no log of {service!r}; there is one of {', '.join(there)}.",
            f"ไม่มีบันทึกของ {service!r} มีเฉพาะ {', '.join(there)}",
        )
    return [there[service]]


def _named(path: Path, width: int, line: str) -> str:
    return f"{path.stem:<{width}} │ {line}"


def _grow(files: list[Path]) -> Iterator[tuple[Path, str]]:
    """Every line from now on; follows a file that was rotated away and begun anew."""
    opened = {path: _at_end(path) for path in files}
    while True:
        for path, file in opened.items():
            for line in file:
                yield path, line.rstrip("\n")
            if path.exists() and not path.samefile(f"/proc/self/fd/{file.fileno()}"):
                opened[path] = path.open(encoding="utf-8", errors="replace")
                file.close()
        time.sleep(PAUSE)


def _at_end(path: Path) -> TextIO:
    file = path.open(encoding="utf-8", errors="replace")
    file.seek(0, 2)
    return file
