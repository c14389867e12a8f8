"""What agencies tell in a run: households, pairs, help, exits, and everything that sets such entries right afterwards.

Every command that corrects, voids, moves, merges or unmerges is among them. The services are told at once, so a pair
or a help may come before or after its household was merged or voided: only such a command may be refused.
"""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from shared.runtime import ids
from tests.support.commands import assign, command, enrol, helped, merge, register, unmerge, void

DIMENSIONS = ("welfare", "health", "occupation", "education", "living")
FOUND_OUT = "2020-02-03"
"""The day on which something is set right."""
GONE = frozenset({"household_merged", "household_voided"})
UNPAIRED = frozenset({"pair_unknown"})
"""The follower ended it: two led households were merged, or the household exited."""
LED = GONE | UNPAIRED | {"household_already_paired"}


@dataclass(frozen=True)
class Wish:
    """One command."""

    body: Mapping[str, Any]
    may: frozenset[str] = frozenset()
    """Codes with which it may be refused for good, by what was told at the same time."""
    entry: tuple[str, str] | None = None
    """(field, the command that made the entry) whose version the field names."""

    @property
    def id(self) -> str:
        return str(self.body["id"])

    def said(self, receipts: Mapping[str, Mapping[str, Any]]) -> Mapping[str, Any] | None:
        """What is sent. None: the entry was never made."""
        if self.entry is None:
            return self.body
        field, made_by = self.entry
        events = receipts[made_by]["events"] if made_by in receipts else ()
        return {**self.body, "data": {**self.body["data"], field: events[0]["version"]}} if events else None


@dataclass(frozen=True)
class Home:
    number: int
    id: str
    helper: str
    quiet: bool
    """Neither merged, nor voided, nor merged into."""

    def may(self, codes: frozenset[str]) -> frozenset[str]:
        return frozenset() if self.quiet else codes


Phases = Mapping[str, Sequence[list[Wish]]]
"""Service -> phases of commands, each in an order in which they can be accepted once the phase before is settled."""


def programme(draw: random.Random, households: int) -> Phases:
    phases: Phases = {"registry": [[], [], [], [], []], "pairing": [[], [], []], "interventions": [[], [], []]}
    new = [ids.new_id("hh") for _ in range(households)]
    voided = set(draw.sample(range(households), households // 15))
    merged = {n: draw.randrange(n) for n in draw.sample(range(1, households), households // 5)}
    helpers = [ids.new_id("hp") for _ in range((households + 1) // 2)]
    loud = voided | merged.keys() | set(merged.values())
    homes = [Home(n, key, helpers[n // 2], n not in loud) for n, key in enumerate(new)]
    for n, helper in enumerate(helpers):
        _help_out(phases["pairing"], n, helper)
    for home in homes:
        _live(draw, phases["registry"], home)
        _pair(draw, phases["pairing"], home)
        _receive(draw, phases["interventions"], home)
        _leave(draw, phases["interventions"], home)
    _, _, voids, mergers, unmergers = phases["registry"]
    voids += [Wish(void(homes[n].id, 1)) for n in sorted(voided)]
    for n, into in merged.items():
        mergers.append(Wish(merge(homes[n].id, homes[into].id), GONE))
        if draw.random() < 0.5:
            unmergers.append(Wish(unmerge(homes[n].id, homes[into].id), frozenset({"household_not_merged"})))
    return phases


def _live(draw: random.Random, phases: Sequence[list[Wish]], home: Home) -> None:
    base, mending, voiding, *_ = phases
    own = {"household": home.id, "occurred_on": "2019-02-01"}
    found = {"source": "bmn-survey", "interviewer": "example-office"}
    village = _village(draw)
    base.append(Wish(register(household=home.id, village=village)))
    classed = command("ClassifyHousehold.v1", household_class=draw.choice(["developable", "welfare"]), **own)
    assessed = command("AssessNeeds.v1", needs=_needs(draw), **found, **own)
    base += [Wish(classed), Wish(assessed)]
    moved = command("RelocateHousehold.v1", **{**own, "occurred_on": "2019-11-01"}, village=_village(draw, "4001"))
    if home.number % 8 < 3:
        mending.append(Wish(moved))
    match home.number % 8:
        case 1:
            told = {"household": home.id, "occurred_on": "2019-11-15", "village": _village(draw)}
            voiding.append(Wish(command("CorrectRelocation.v1", **told), entry=("corrects", moved["id"])))
        case 2:
            voiding.append(_voided(home, moved))
        case 3:
            told = {"household": home.id, "occurred_on": "2019-01-10", "village": _village(draw)}
            mending.append(Wish(command("CorrectHousehold.v1", **told, cohort="bmn-2561")))
        case 4:
            other = command("CorrectClassification.v1", household_class="welfare", **own)
            mending.append(Wish(other, entry=("corrects", classed["id"])))
        case 5:
            other = command("CorrectAssessment.v1", needs=_needs(draw), **found, **own)
            mending.append(Wish(other, entry=("corrects", assessed["id"])))
        case 6:
            voiding.append(_voided(home, classed))
        case 7:
            voiding.append(_voided(home, assessed))
    if home.number % 8 > 3:
        _recode(draw, phases, home, village)


def _recode(draw: random.Random, phases: Sequence[list[Wish]], home: Home, was: str) -> None:
    """Of a household that does not move."""
    base, mending, voiding, *_ = phases
    own = {"household": home.id, "occurred_on": "2019-12-01"}
    recoded = command("RecodeHousehold.v1", was=was, village=_village(draw), **own)
    base.append(Wish(recoded))
    match home.number % 4:
        case 1:
            right = command("CorrectRecoding.v1", village=_village(draw), **{**own, "occurred_on": "2019-12-02"})
            mending.append(Wish(right, entry=("corrects", recoded["id"])))
        case 2:
            voiding.append(_voided(home, recoded))


def _pair(draw: random.Random, phases: Sequence[list[Wish]], home: Home) -> None:
    base, ends, mending = phases
    own, may = {"household": home.id, "helper": home.helper}, home.may(LED)
    assigned = assign(home.id, home.helper)
    base.append(Wish(assigned, may if home.number % 4 else may | {"household_exited"}))
    ended = command("EndPair.v1", occurred_on="2019-12-01", reason="household-asked", **own)
    if home.number % 5 < 2:
        ends.append(Wish(ended, may | UNPAIRED))
    match home.number % 5:
        case 0:
            right = command("CorrectPairEnd.v1", occurred_on="2019-12-15", reason="household-moved", **own)
            mending.append(Wish(right, may, ("corrects", ended["id"])))
        case 1:
            gone = command("VoidPairingEntry.v1", occurred_on=FOUND_OUT, reason="never-happened", **own)
            mending.append(Wish(gone, may, ("voids", ended["id"])))
        case 2:
            right = command("CorrectPair.v1", occurred_on="2019-10-02", chosen="lottery", **own)
            mending.append(Wish(right, may, ("corrects", assigned["id"])))
        case 3 if draw.random() < 0.5:
            mistaken = command("EndPair.v1", occurred_on=FOUND_OUT, reason="entered-by-mistake", **own)
            ends.append(Wish(mistaken, may | UNPAIRED))
        case 3:
            gone = command("VoidPairingEntry.v1", occurred_on=FOUND_OUT, reason="wrong-household", **own)
            mending.append(Wish(gone, may, ("voids", assigned["id"])))


def _help_out(phases: Sequence[list[Wish]], number: int, helper: str) -> None:
    base, _, mending = phases
    base.append(Wish(enrol(helper=helper)))
    told = {"kind": "officer", "district": "4019", "office": "another-office"}
    if number % 4 == 0:
        mending.append(Wish(command("CorrectHelper.v1", helper=helper, occurred_on="2019-09-19", **told)))
    if number % 8 == 0:
        twice = ids.new_id("hp")
        base.append(Wish(enrol(helper=twice)))
        gone = command("VoidHelper.v1", helper=twice, occurred_on=FOUND_OUT, reason="entered-twice")
        mending.append(Wish(gone))


def _receive(draw: random.Random, phases: Sequence[list[Wish]], home: Home) -> None:
    base, mending, voiding = phases
    may, unknown = home.may(GONE), home.may(GONE | {"entry_unknown"})
    for n in range(draw.randint(0, 4) + (home.number % 10 == 0)):
        given = ids.new_id("iv")
        base.append(Wish(helped(home.id, intervention=given, dimensions=_some(draw), occurred_on=_day(draw)), may))
        if n % 4 == 0:
            right = helped(home.id, intervention=given, dimensions=_some(draw), occurred_on=_day(draw))
            right["type"] = "CorrectIntervention.v1"
            mending.append(Wish(right, unknown))
        if draw.random() < 0.2:
            told = {"household": home.id, "intervention": given, "occurred_on": FOUND_OUT}
            gone = command("VoidIntervention.v1", reason="entered-twice", **told)
            voiding.append(Wish(gone, unknown))


def _leave(draw: random.Random, phases: Sequence[list[Wish]], home: Home) -> None:
    """Some before they were assessed, who so are back in the programme by then."""
    if home.number % 4:
        return
    base, mending, voiding = phases
    may, unknown = home.may(GONE), home.may(GONE | {"entry_unknown"})
    own = {"household": home.id, "exit": ids.new_id("ex"), "occurred_on": draw.choice(["2019-01-20", "2019-12-20"])}
    base.append(Wish(command("ExitCase.v1", **own, **_why(draw)), may))
    if home.number % 8 == 0:
        mending.append(Wish(command("CorrectExit.v1", **{**own, "occurred_on": "2019-12-24"}, **_why(draw)), unknown))
    if home.number % 12 == 0:
        gone = {**own, "occurred_on": FOUND_OUT, "reason": "never-happened"}
        voiding.append(Wish(command("VoidExit.v1", **gone), unknown))


def _why(draw: random.Random) -> dict[str, Any]:
    reason = draw.choice(["lifted-out", "moved-away", "dissolved"])
    return {"reason": reason, "verified": dict.fromkeys(("community", "subdistrict", "district"), "2019-01-10")}


def _voided(home: Home, made_by: Mapping[str, Any]) -> Wish:
    return Wish(void(home.id, 0), entry=("voids", made_by["id"]))


def _village(draw: random.Random, district: str = "4019") -> str:
    return f"{district}{draw.randint(1, 5):02d}{draw.randint(1, 20):02d}"


def _needs(draw: random.Random) -> list[dict[str, Any]]:
    return [{"dimension": dimension, "in_need": draw.random() < 0.8} for dimension in DIMENSIONS]


def _some(draw: random.Random) -> list[str]:
    return draw.sample(DIMENSIONS, draw.randint(1, 2))


def _day(draw: random.Random) -> str:
    return f"2019-{draw.randint(7, 12):02d}-{draw.randint(1, 28):02d}"
