"""What a row of the benchmark found: figures of each variant, their end states, and what was wanted of them."""

import statistics
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

RATE, CPU_RATE = "events/s", "events/CPU-s"
"""By the clock; by seconds of CPU of the variant's processes and of PostgreSQL together."""


@dataclass
class Variant:
    """One way of doing a row's job."""

    guarantee: str
    """What holds when it, or a server, is killed: named so that nobody compares unlike things unawares."""
    figures: dict[str, list[float]] = field(default_factory=dict)
    """Name with unit -> one figure a round."""
    states: list[Any] = field(default_factory=list)
    """What stood at the end of each round; all of a row's must be equal."""
    failed: str = ""
    """Why there are no figures, in its own words."""

    def note(self, figures: Mapping[str, float]) -> None:
        """One round's."""
        for name, value in figures.items():
            self.figures.setdefault(name, []).append(value)

    def median(self, figure: str) -> float | None:
        found = self.figures.get(figure)
        return statistics.median(found) if found and not self.failed else None


@dataclass(frozen=True)
class Wanted:
    """A promise about one figure: of a variant alone, or as a multiple of another's."""

    figure: str
    of: str
    to: str = ""
    at_least: float | None = None
    at_most: float | None = None
    aim: float | None = None


@dataclass
class Row:
    title: str
    variants: dict[str, Variant] = field(default_factory=dict)
    wanted: list[Wanted] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    profile: dict[str, float] = field(default_factory=dict)
    """Part -> share of the CPU."""

    def variant(self, name: str, guarantee: str) -> Variant:
        return self.variants.setdefault(name, Variant(guarantee))

    def compare_states(self) -> None:
        """Fails every variant that did not come to the same end as the first, in any round."""
        states = [(name, state) for name, variant in self.variants.items() for state in variant.states]
        for name, state in states:
            if state != states[0][1] and not self.variants[name].failed:
                self.variants[
                    name
                ].failed = f"came to another end than {states[0][0]}: {_differing(states[0][1], state)}"

    def judged(self) -> Iterator[dict[str, Any]]:
        """Each promise with what was measured; `kept` is None where something could not be measured."""
        for want in self.wanted:
            value = self._value(want)
            kept = None if value is None else _kept(want, value)
            yield asdict(want) | {"value": value, "kept": kept}

    def _value(self, want: Wanted) -> float | None:
        own = self.variants[want.of].median(want.figure) if want.of in self.variants else None
        if not want.to or own is None:
            return own
        other = self.variants[want.to].median(want.figure) if want.to in self.variants else None
        return own / other if other else None

    def document(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "title": self.title,
            "variants": {name: _document(variant) for name, variant in self.variants.items()},
            "judged": list(self.judged()),
            "notes": self.notes,
            "profile": self.profile,
        }


def _kept(want: Wanted, value: float) -> bool:
    return (want.at_least is None or value >= want.at_least) and (want.at_most is None or value <= want.at_most)


def _document(variant: Variant) -> dict[str, Any]:
    figures = {
        name: {"median": statistics.median(found), "least": min(found), "most": max(found), "rounds": found}
        for name, found in variant.figures.items()
        if not variant.failed
    }
    told: dict[str, Any] = {"guarantee": variant.guarantee, "figures": figures}
    return told | ({"failed": variant.failed} if variant.failed else {})


def _differing(one: Any, other: Any) -> str:
    if not isinstance(one, dict) or not isinstance(other, dict):
        return f"{one!r} and {other!r}"
    keys = [key for key in sorted(one.keys() | other.keys(), key=repr) if one.get(key) != other.get(key)]
    return f"{len(keys)} of {len(one.keys() | other.keys())} rows, first {keys[0]!r}: " + (
        f"{one.get(keys[0])!r} and {other.get(keys[0])!r}"
    )
