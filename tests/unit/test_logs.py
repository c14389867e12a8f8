"""Log lines of a process: ours and those of libraries look alike, and none stops the work."""

import json
import subprocess
import sys
from pathlib import Path

PROGRAM = """
import logging
from shared.runtime import logs
logs.configure("registry", "info")
logs.get("test").info("relayed", events=3)
logs.get("test").debug("left_out")
logging.getLogger("library").warning("slow by %s", "2 s")
try:
    [][0]
except IndexError as error:
    logs.get("test").error("failed", exc_info=error)
"""


def test_ours_and_a_librarys_look_alike() -> None:
    told = subprocess.run([sys.executable, "-c", PROGRAM], stderr=subprocess.PIPE, check=True).stderr
    ours, librarys, failed = (json.loads(line) for line in told.splitlines())
    assert (ours["event"], ours["level"], ours["service"], ours["events"]) == ("relayed", "info", "registry", 3)
    assert (librarys["event"], librarys["level"], librarys["service"]) == ("slow by 2 s", "warning", "registry")
    assert ours["timestamp"][:10] == librarys["timestamp"][:10]
    assert "IndexError" in failed["exception"]


def test_a_full_disk_stops_nobody() -> None:
    """Python itself still complains at the very end, by exit code 120, when it gives up what it could not write."""
    with Path("/dev/full").open("w") as full:
        command = [sys.executable, "-c", PROGRAM + 'print("worked on")']
        told = subprocess.run(command, stdout=subprocess.PIPE, stderr=full, check=False).stdout
    assert told == b"worked on\n"
