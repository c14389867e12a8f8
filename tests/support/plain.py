"""A plain fold of stored events into the figures of today. Shares no code with the projections.

Where those fold step by step and write what changes, this looks at the whole: which entries of a stream stand, which
households are one, and what is known of each.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

PROGRAMME_START = "2019-09-20"  # document B
HOMES = ("HouseholdRegistered.v1", "HouseholdRelocated.v1", "HouseholdRecoded.v1")
MADE = (*HOMES, "HouseholdClassified.v1", "NeedsAssessed.v1")
MENDED = {
    "HouseholdCorrected.v1": "HouseholdRegistered.v1",
    "RelocationCorrected.v1": "HouseholdRelocated.v1",
    "RecodingCorrected.v1": "HouseholdRecoded.v1",
    "ClassificationCorrected.v1": "HouseholdClassified.v1",
    "AssessmentCorrected.v1": "NeedsAssessed.v1",
}
ENDS = {
    "HouseholdMerged.v1": ("into", "merged", 1),
    "HouseholdUnmerged.v1": ("out_of", "merged", 0),
    "HouseholdAbsorbed.v1": ("absorbed", "absorbed", 1),
    "HouseholdReleased.v1": ("released", "absorbed", 0),
}


class Event(Protocol):
    @property
    def type(self) -> str: ...
    @property
    def data(self) -> dict[str, Any]: ...
    @property
    def recorded_at(self) -> str: ...
    @property
    def stream(self) -> str: ...
    @property
    def version(self) -> int: ...


@dataclass
class Pair:
    version: int
    helper: str
    role: str
    end: int | None = None


@dataclass
class House:
    """What the streams of one household say."""

    entries: dict[int, tuple[str, dict[str, Any]]] = field(default_factory=dict)
    """Version of the registry's stream -> what stands there: type, data."""
    helps: list[dict[str, Any]] = field(default_factory=list)
    exits: list[dict[str, Any]] = field(default_factory=list)
    pairs: list[Pair] = field(default_factory=list)
    changes: Counter[tuple[str, str]] = field(default_factory=Counter)
    """(end, other) -> how often its stream changed its mind about being one with it."""
    voided: bool = False

    def of(self, type_name: str) -> list[dict[str, Any]]:
        return [data for _, (kind, data) in sorted(self.entries.items()) if kind == type_name]


def houses(events: Iterable[Event]) -> dict[str, House]:
    found: dict[str, House] = defaultdict(House)
    for event in sorted(events, key=lambda e: (e.recorded_at, e.stream, e.version)):
        if "household" in event.data:
            _take(found[event.data["household"]], event)
    return found


def _take(house: House, event: Event) -> None:
    data = event.data
    if event.type in ENDS:
        name, end, joined = ENDS[event.type]
        if house.changes[end, data[name]] % 2 != joined and data[name] != data["household"]:
            house.changes[end, data[name]] += 1
    elif house.voided:
        return
    elif event.type in MADE:
        house.entries[event.version] = event.type, data
    elif event.type in MENDED:
        version = data.get("corrects", 1)
        if house.entries.get(version, ("",))[0] == MENDED[event.type]:
            was = {name: told for name, told in house.entries[version][1].items() if name == "was"}
            house.entries[version] = MENDED[event.type], {**was, **data}
    elif event.type == "HouseholdEntryVoided.v1":
        kind, _ = house.entries.pop(data["voids"], ("", {}))
        house.voided = kind == "HouseholdRegistered.v1"
    elif event.stream.startswith("case-"):
        _case(house, event)
    else:
        _pair(house, event)


def _case(house: House, event: Event) -> None:
    name, entries = ("exit", house.exits) if "exit" in event.data else ("intervention", house.helps)
    found = [n for n, one in enumerate(entries) if one[name] == event.data[name]]
    match event.type:
        case "InterventionDelivered.v1" | "CaseExited.v1":
            entries.append(event.data)
        case "InterventionCorrected.v1" | "CaseExitCorrected.v1":
            for n in found:
                entries[n] = event.data
        case "InterventionVoided.v1" | "CaseExitVoided.v1":
            entries[:] = [one for n, one in enumerate(entries) if n not in found]


def _pair(house: House, event: Event) -> None:
    data = event.data
    match event.type:
        case "PairAssigned.v1":
            house.pairs.append(Pair(event.version, data["helper"], data["role"]))
        case "PairEnded.v1":
            mine = [p for p in house.pairs if (p.helper, p.role, p.end) == (data["helper"], data["role"], None)]
            for pair in mine[-1:]:
                pair.end = event.version
        case "PairingEntryVoided.v1":
            house.pairs = [pair for pair in house.pairs if pair.version != data["voids"]]
            for pair in house.pairs:
                if pair.end == data["voids"]:
                    pair.end = None


def groups(houses: Mapping[str, House]) -> list[list[House]]:
    """The households that count: of each the cards that make it, the survivor's own first."""
    into: dict[str, str] = {}
    for key, house in houses.items():
        for (end, other), changes in sorted(house.changes.items(), reverse=True):
            both = min(changes, houses[other].changes["absorbed", key]) if other in houses else 0
            if end == "merged" and both % 2:
                into[key] = other
    found: dict[str, list[str]] = defaultdict(list)
    for key in sorted(houses):
        found[_last(key, into)].append(key)
    return [[houses[s], *(houses[key] for key in keys if key != s)] for s, keys in found.items()]


def _last(key: str, into: Mapping[str, str]) -> str:
    seen: list[str] = []
    while key not in seen:
        seen.append(key)
        key = into.get(key, key)
    return min(seen[seen.index(key) :])


def coverage(events: Iterable[Event]) -> Mapping[tuple[str, ...], int]:
    """(village, cohort, class, dimension, measure) -> households; need and reached."""
    counted: Counter[tuple[str, ...]] = Counter()
    for where, standing in _counted(events):
        if _out(standing) in ("moved-away", "dissolved"):
            continue
        assessed = [n for h in standing for data in h.of("NeedsAssessed.v1") for n in data["needs"] if n["in_need"]]
        needed = {need["dimension"] for need in assessed}
        given = [one for h in standing for one in h.helps if one["occurred_on"] >= PROGRAMME_START]
        helped = {dimension for one in given for dimension in one["dimensions"]}
        counted.update((*where, dimension, "need") for dimension in needed)
        counted.update((*where, dimension, "reached") for dimension in needed & helped)
    return counted


def households(events: Iterable[Event]) -> Mapping[tuple[str, ...], int]:
    """(village, cohort, class, paired | unpaired | why it exited) -> households."""
    return Counter(
        (*where, _out(standing) or ("paired" if any(_led_by(house) for house in standing) else "unpaired"))
        for where, standing in _counted(events)
    )


def leads(events: Iterable[Event]) -> Mapping[str, int]:
    """Helper -> households that the helper leads."""
    standing = [[house for house in every if not house.voided] for every in groups(houses(events))]
    held = [{helper for house in every for helper in _led_by(house)} for every in standing if not _out(every)]
    return Counter(helper for helpers in held for helper in helpers)


def helpers(events: Iterable[Event]) -> Mapping[tuple[str, ...], int]:
    """(helper, district, kind, office) -> 1."""
    known: dict[str, tuple[str, ...]] = {}
    for event in sorted(events, key=lambda e: (e.recorded_at, e.stream, e.version)):
        data = event.data
        if event.type == "HelperVoided.v1":
            known.pop(data["helper"], None)
        elif event.type == "HelperEnrolled.v1" or (event.type == "HelperCorrected.v1" and data["helper"] in known):
            known[data["helper"]] = data["helper"], data["district"], data["kind"], data["office"]
    return Counter(known.values())


def _led_by(house: House) -> set[str]:
    return {pair.helper for pair in house.pairs if pair.end is None and pair.role == "lead" and not house.voided}


def _counted(events: Iterable[Event]) -> Iterator[tuple[tuple[str, str, str], list[House]]]:
    """Where each household is counted, and the cards that make it."""
    for every in groups(houses(events)):
        standing = [house for house in every if not house.voided]
        where = next((told for house in standing if (told := _where(house, standing))), None)
        if where:
            yield where, standing


def _out(standing: list[House]) -> str | None:
    """Why the household is in the programme no more; None where it is, or is again."""
    homes = next((homes for house in standing if (homes := _homes(house))), None)
    registered = homes[0]["occurred_on"] if homes else ""
    assessed = [data for house in standing for data in house.of("NeedsAssessed.v1")]
    exits = [data for house in reversed(standing) for data in house.exits if data["occurred_on"] >= registered]
    why = None
    for day in sorted({data["occurred_on"] for data in exits + assessed}):
        needs = [need for data in assessed if data["occurred_on"] == day for need in data["needs"]]
        if any(need["in_need"] or why != "lifted-out" for need in needs):
            why = None
        why = why or _latest([data for data in exits if data["occurred_on"] == day]).get("reason")
    return why


def _where(house: House, standing: list[House]) -> tuple[str, str, str] | None:
    """Village and class as they are last, where this one lives; None where it was never registered."""
    homes = _homes(house)
    if not homes:
        return None
    cohorts = [data.get("cohort") for one in (house, *standing) for data in one.of("HouseholdRegistered.v1")]
    classes = [data for one in reversed(standing) for data in one.of("HouseholdClassified.v1")]
    last = _latest(classes)
    cohort = next((c for c in cohorts if c), "")
    return _village(homes), cohort, last["household_class"] if last else ""


def _homes(house: House) -> list[dict[str, Any]]:
    return [data for kind, data in house.entries.values() if kind in HOMES]


def _village(homes: list[dict[str, Any]]) -> str:
    """The last word, but for recodings of a village where the household did not live then."""
    village = str(homes[0]["village"])
    for home in sorted(homes, key=lambda told: told["occurred_on"]):
        if home.get("was", village) == village:
            village = home["village"]
    return village


def _latest(told: list[dict[str, Any]]) -> dict[str, Any]:
    """By its own day; of one day, the last."""
    return max(enumerate(told), key=lambda at: (at[1]["occurred_on"], at[0]), default=(0, {}))[1]
