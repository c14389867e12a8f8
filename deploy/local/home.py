"""The one folder that a stack lives in (SIAO_HOME, default `.siao`), and who may work in it.

env/ kafka/ postgres/  what is installed, and the data of the two servers
secrets/               passwords and keys (credentials.py);  agencies/  one token a file
logs/                  one file a process;  run/  sockets, process numbers, the supervisor's settings
ports.json             the ports of the last start;  stack.json  {"clock": …, "made_by": …}
"""

import fcntl
import json
import os
import re
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from deploy.local.trouble import Trouble

UNUSABLE = re.compile(r"[\"';#:,\x00-\x1f\x7f]")
"""Characters that settings files, class paths and lists of folders cannot quote; the launcher has the same set."""


@dataclass(frozen=True)
class Home:
    root: Path

    @property
    def secrets(self) -> Path:
        return self.root / "secrets"

    @property
    def logs(self) -> Path:
        return self.root / "logs"

    @property
    def run(self) -> Path:
        return self.root / "run"

    @property
    def tmp(self) -> Path:
        """For the processes' passing files: another user's stack has its own."""
        return self.run / "tmp"

    @property
    def agencies(self) -> Path:
        return self.root / "agencies"

    @property
    def ports(self) -> Path:
        return self.root / "ports.json"

    @property
    def stack(self) -> Path:
        return self.root / "stack.json"

    def log(self, program: str) -> Path:
        return self.logs / f"{program}.log"


def here() -> Home:
    """The home that SIAO_HOME names. Raises Trouble when its path cannot be used."""
    root = Path(os.environ.get("SIAO_HOME") or ".siao").expanduser().resolve()
    if UNUSABLE.search(str(root)):
        raise Trouble(
            f"The folder {root} has a quote, comma, colon, semicolon or hash in its name: set SIAO_HOME to another.",
            f"ชื่อโฟลเดอร์ {root} มีเครื่องหมายที่ใช้ไม่ได้ โปรดกำหนด SIAO_HOME เป็นโฟลเดอร์อื่น",
        )
    return Home(root)


def make(home: Home) -> None:
    """Makes the folders; those that hold secrets or say things about people are the owner's alone."""
    home.root.mkdir(mode=0o700, parents=True, exist_ok=True)
    for folder in (home.secrets, home.logs, home.run, home.tmp, home.agencies):
        folder.mkdir(mode=0o700, exist_ok=True)
        folder.chmod(0o700)


@contextmanager
def alone(home: Home) -> Iterator[None]:
    """Holds the home for one `up` or `demo`; the kernel lets go of it however this process ends."""
    with (home.run / "lock").open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Trouble(
                f"Siao already runs in {home.root}: see `./siao status`, or end it with `./siao down`.",
                f"ระบบกำลังทำงานอยู่แล้วใน {home.root} ดูสถานะด้วย ./siao status หรือหยุดด้วย ./siao down",
            ) from None
        make_marker(home)
        yield


def write_private(path: Path, text: str) -> None:
    """Replaces a file that only its owner may read; a crash leaves the old or the new one, whole."""
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)


def write_json(path: Path, value: object) -> None:
    write_private(path, json.dumps(value, indent=1, ensure_ascii=False) + "\n")


def read_json(path: Path) -> dict[str, Any]:
    """The object in a file of ours; empty when there is none. Ours are replaced whole, so a broken one is not ours."""
    try:
        return dict(json.loads(path.read_text(encoding="utf-8")))
    except FileNotFoundError:
        return {}


def marker(home: Home) -> str:
    """A random word that every process of this home carries in its environment, by which strays are found.

    Empty before the first start; `make_marker` makes it.
    """
    try:
        return (home.run / "marker").read_text()
    except FileNotFoundError:
        return ""


def make_marker(home: Home) -> None:
    """For the holder of the home (`alone`): two words at once would hide the processes of one of them."""
    if not marker(home):
        write_private(home.run / "marker", uuid.uuid4().hex)


def claim(home: Home, *, clock: str, made_by: str) -> str:
    """The clock this home runs on: decided once. Raises Trouble when a demonstration would join real events."""
    known = read_json(home.stack)
    if known.get("clock") == "real" and clock == "simulated":
        raise Trouble(
            f"{home.root} is for real events and the demonstration's clock is a simulated one: "
            "give the demonstration a folder of its own, SIAO_HOME=.siao-demo ./siao demo",
            f"{home.root} ใช้เก็บข้อมูลจริง การสาธิตใช้นาฬิกาจำลอง โปรดแยกโฟลเดอร์: SIAO_HOME=.siao-demo ./siao demo",
        )
    if not known:
        write_json(home.stack, {"clock": clock, "made_by": made_by})
    return str(known.get("clock", clock))
