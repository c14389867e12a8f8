"""Seconds of the clock and of CPU: on a shared machine only the second kind compares well."""

import os
import time
from dataclasses import dataclass

import psutil

from tests.benchmarks.report import CPU_RATE, RATE

TICK = os.sysconf("SC_CLK_TCK")


def cpu_seconds(pid: int) -> float:
    """Of a process, its children now, and those that it has waited for (proc(5): utime, stime, cutime, cstime)."""
    total = 0.0
    try:
        family = [psutil.Process(pid), *psutil.Process(pid).children(recursive=True)]
    except psutil.NoSuchProcess:
        return 0.0
    for process in family:
        try:
            with open(f"/proc/{process.pid}/stat", "rb") as file:
                fields = file.read().rpartition(b")")[2].split()
        except OSError:
            continue  # it has ended; whoever waits for it has its time
        total += sum(map(int, fields[11:15])) / TICK
    return total


def rss_mib(pid: int) -> float:
    """Of a process and its children, shared pages counted in each."""
    try:
        family = [psutil.Process(pid), *psutil.Process(pid).children(recursive=True)]
        return sum(process.memory_info().rss for process in family) / 2**20
    except psutil.NoSuchProcess:
        return 0.0


@dataclass(frozen=True)
class Reading:
    """Of the clock, some processes and PostgreSQL, at one moment."""

    at: float
    cpu: float
    postgres: float

    def __sub__(self, earlier: "Reading") -> "Reading":
        return Reading(self.at - earlier.at, self.cpu - earlier.cpu, self.postgres - earlier.postgres)


def read(pids: list[int], postgres: int) -> Reading:
    return Reading(time.monotonic(), sum(map(cpu_seconds, pids)), cpu_seconds(postgres))


def figures(events: float, spent: Reading) -> dict[str, float]:
    """The common figures of a job that handles events."""
    both = spent.cpu + spent.postgres
    return {
        RATE: events / spent.at,
        CPU_RATE: events / both if both else float("inf"),
        "µs CPU an event": spent.cpu / events * 1e6,
        "µs PostgreSQL an event": spent.postgres / events * 1e6,
    }
