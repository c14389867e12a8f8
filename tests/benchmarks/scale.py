"""docs/scale.md: what a country needs, computed from a run of the benchmark. Every figure here is an input with a name,
something measured, or computed from those."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import ceil
from typing import Any

from tests.benchmarks.rows.latency import RATES, WHOLE

PROVINCES = 77
HOUSEHOLDS = 20_000_000
EVENTS_A_DAY = 10_000_000
WORKING_SECONDS = 8 * 3_600
"""In which a day's events come: agencies work by day."""
PEAK = 3
"""Times the average of those hours, at a month's end."""
AT_PEAK = EVENTS_A_DAY / WORKING_SECONDS * PEAK
"""Events a second."""
USED = 0.5
"""Of a core, at the peak: the rest is for what nobody foresaw."""
YEARS = 5
"""Of history, for disks and rebuilds."""
PARTITIONS = 24
"""Of each topic (shared/events/topics.py): as many processes fold one log at most."""
REPLICAS = 3
"""Of a record on Kafka, and of a row on PostgreSQL with two standbys."""
SPARE = 2
"""Processes at least, so that one may die."""


@dataclass(frozen=True)
class Measured:
    """Medians of a run."""

    worker: float
    """µs CPU of the projections' worker an event."""
    folding_postgres: float
    """µs CPU of PostgreSQL an event folded."""
    rebuild: float
    """Events a CPU-second, compared and switched, PostgreSQL's CPU included."""
    api: float
    """µs CPU of a write service a command."""
    appending_postgres: float
    relay: float
    """Events a CPU-second of the relay."""
    single: Mapping[int, float]
    """Commands a second -> ms CPU of everything for a command that comes alone, with the GET that shows it."""
    stored: float
    """KiB in the projections' tables an event."""
    logged: float
    """KiB on Kafka an event, one replica."""

    @classmethod
    def of(cls, rows: Mapping[str, Any]) -> "Measured":
        """Raises KeyError when the run left out a row that is needed."""

        def median(row: str, variant: str, figure: str) -> float:
            return float(rows[row]["variants"][variant]["figures"][figure]["median"])

        live, http = ("projection", "Siao, every table"), ("append", "Siao through HTTP, one worker")
        return cls(
            worker=median(*live, "µs CPU an event"),
            folding_postgres=median(*live, "µs PostgreSQL an event"),
            rebuild=median("rebuild", "Siao, rebuild: compared and switched", "events/CPU-s"),
            api=median(*http, "µs CPU an event"),
            appending_postgres=median(*http, "µs PostgreSQL an event"),
            relay=median("relay", "Siao's relay", "events/CPU-s of the relay"),
            single={rate: median("latency", f"{rate}/s", WHOLE) for rate in RATES},
            stored=median(*live, "KiB in tables an event"),
            logged=median(*live, "KiB on Kafka an event"),
        )


def page(document: Mapping[str, Any]) -> str:
    """The whole of docs/scale.md. Raises KeyError when the run left out a row that is needed."""
    found = Measured.of(document["rows"])
    parts = [_title(document["machine"]), _given(), _peak(found), _singly(found), _disks(found), _making(found)]
    return "\n".join([line for part in parts for line in part])


def _title(machine: Mapping[str, Any]) -> list[str]:
    return [
        "# What a country needs",
        "",
        f"Computed by `python -m tests.benchmarks.publish` from the benchmark of {machine['at'][:10]} "
        f"({machine['processor']}, {machine['cores']} cores; load {machine['load before']} before and "
        f"{machine['load after']} after; `tests/benchmarks/latest.json`). Edit neither: run it again.",
        "",
    ]


def _given() -> list[str]:
    return [
        "## Taken as given",
        "",
        "| | |",
        "|---|---|",
        f"| provinces | {PROVINCES} |",
        f"| households | {HOUSEHOLDS:,} |",
        f"| events a day | {EVENTS_A_DAY:,} ({EVENTS_A_DAY / HOUSEHOLDS:.2f} a household) |",
        f"| they come within | {WORKING_SECONDS // 3600} hours, at {PEAK} times the average at the peak: "
        f"{AT_PEAK:,.0f} a second |",
        f"| a core is used to | {USED:.0%} at the peak |",
        f"| replicas of each record and row | {REPLICAS} |",
        "",
    ]


def _peak(found: Measured) -> list[str]:
    return [
        "## At the peak",
        "",
        "| part | measured | for the country | processes |",
        "|---|---|---|---|",
        _row("write services, through HTTP", f"{found.api:,.0f} µs CPU a command", AT_PEAK * found.api / 1e6),
        _row(
            "their PostgreSQL",
            f"{found.appending_postgres:,.0f} µs CPU a command",
            _of(AT_PEAK, found.appending_postgres),
        ),
        _row("relays", f"{found.relay:,.0f} events a CPU-second", AT_PEAK / found.relay),
        _row("projections' workers", f"{found.worker:,.0f} µs CPU an event", _of(AT_PEAK, found.worker)),
        _row(
            "their PostgreSQL", f"{found.folding_postgres:,.0f} µs CPU an event", _of(AT_PEAK, found.folding_postgres)
        ),
        "",
        f"Processes: those cores at {USED:.0%}, {SPARE} at least so that one may die. A topic has {PARTITIONS} "
        f"partitions, so up to {PARTITIONS} workers fold one log; with a log a province there are "
        f"{PROVINCES * PARTITIONS:,} shares of the work.",
        "",
    ]


def _singly(found: Measured) -> list[str]:
    rates = [
        f"| {rate} a second | {ms:.1f} ms | {AT_PEAK * ms / 1000:,.1f} cores |" for rate, ms in found.single.items()
    ]
    return [
        "## Where commands come singly",
        "",
        "The figures above are those of full batches, as bulks and backlogs make them. A command that comes alone, and "
        "is followed by a GET that must show it, wakes every process for itself. All services, Kafka and PostgreSQL "
        "together:",
        "",
        "| commands | CPU a command and its GET | if the whole peak came so |",
        "|---|---|---|",
        *rates,
        "",
    ]


def _disks(found: Measured) -> list[str]:
    return [
        "## On disks",
        "",
        "| | measured | a day | a year, all replicas |",
        "|---|---|---|---|",
        _disk("Kafka", found.logged),
        _disk("the projections' tables", found.stored),
        "",
    ]


def _making(found: Measured) -> list[str]:
    total = EVENTS_A_DAY * 365 * YEARS
    rebuilding = total / found.rebuild
    return [
        "## Making every table again",
        "",
        f"{YEARS} years are {total / 1e9:,.1f} thousand million events: {rebuilding / 3600:,.0f} core-hours at "
        f"{found.rebuild:,.0f} events a CPU-second (PostgreSQL's CPU included). Of one log of {PARTITIONS} partitions "
        f"that is {rebuilding / PARTITIONS / 3600:,.0f} hours on {PARTITIONS} cores; of a log a province, rebuilt one "
        f"after the other or side by side, {rebuilding / PROVINCES / 3600:,.1f} core-hours each. So a country runs one "
        "log and one set of tables a province, and adds their figures up where they are read.",
        "",
    ]


def _of(rate: float, microseconds: float) -> float:
    return rate * microseconds / 1e6


def _row(part: str, measured: str, cores: float) -> str:
    return f"| {part} | {measured} | {cores:.2f} cores | {max(SPARE, ceil(cores / USED))} |"


def _disk(what: str, kib: float) -> str:
    day = EVENTS_A_DAY * kib / 2**20
    return f"| {what} | {kib:.2f} KiB an event | {day:,.1f} GiB | {day * 365 * REPLICAS / 1024:,.1f} TiB |"
