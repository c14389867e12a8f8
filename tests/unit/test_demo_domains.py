"""The province against the real rules and the real read models, without a server: nothing is refused, the table comes
out, and it does so from the events alone."""

import json
from collections import Counter, defaultdict
from collections.abc import Callable
from datetime import date, datetime
from typing import Any, NamedTuple

import pytest

from services.demo.entries import Entry
from services.demo.mistakes import WRONG_DIMENSION, WRONG_HOUSEHOLD, WRONG_NEED, everything
from services.demo.province import make
from services.interventions import domain as interventions
from services.pairing import domain as pairing
from services.pairing import helpers, pairs
from services.pairing.known import Known as KnownPair
from services.projections import coverage
from services.projections.card import Card, Household, blank
from services.projections.evolve import evolve
from services.projections.facts import Fact
from services.registry import domain as registry
from services.registry import household as households
from shared import published
from shared.definitions import DEFAULT, PROGRAMME_START
from shared.entries import Author
from shared.events.base import Event
from shared.events.catalog import COMMANDS
from shared.events.codes import DigitCheck, PairRole
from shared.events.interventions import CorrectIntervention, RecordIntervention, VoidIntervention
from shared.events.pairing import AssignPair, EnrolHelper, HelperEnrolled, PairAssigned
from shared.events.registry import HouseholdRegistered, Member, RegisterHousehold
from shared.standing import Standing
from shared.thai import BANGKOK


class Rules(NamedTuple):
    stream: str
    decide: Callable[..., Any]
    evolve: Callable[..., Any]
    start: Any


HOUSEHOLD = Rules("household", registry.decide, households.evolve, households.START)
HELPER = Rules("helper", helpers.decide_helper, helpers.evolve_helper, helpers.HELPER_START)
PAIRING = Rules("pairing", pairing.decide, pairs.evolve, pairs.START)
CASE = Rules("case", interventions.decide, interventions.evolve, interventions.START)


class Programme:
    """The three services' states, folded in memory."""

    def __init__(self) -> None:
        self.states: dict[tuple[str, str], Any] = {}
        self.leads: dict[str, dict[str, list[helpers.Days]]] = defaultdict(dict)
        self.helpers: dict[str, HelperEnrolled] = {}
        self.homes: dict[str, HouseholdRegistered] = {}

    def take(self, entry: Entry) -> list[Event]:
        """The events of one command. Raises Rejected when a rule says no."""
        sent = json.loads(entry.line)
        command: Any = COMMANDS[entry.service][sent["type"]].model_validate_json(json.dumps(sent["data"]))
        match command:
            case EnrolHelper(helper=str(helper)):
                return self._decide(HELPER, helper, entry, command, helpers.KnownHelper(helper, Author(entry.agency)))
            case AssignPair():
                return self._decide(
                    PAIRING, command.household, entry, command, self._pair(command, Author(entry.agency))
                )
            case RecordIntervention() | CorrectIntervention() | VoidIntervention():
                home = Standing() if command.household in self.homes else None
                known = interventions.Known(home, Author(entry.agency), command.intervention or "")
                return self._decide(CASE, command.household, entry, command, known)
            case _:
                known_home = registry.Known(command.household, Author(entry.agency), _members(command))
                return self._decide(HOUSEHOLD, command.household, entry, command, known_home)

    def _pair(self, command: AssignPair, author: Author) -> KnownPair:
        helper, home = self.helpers[command.helper], self.homes[command.household]
        load = helpers.HelperLoad(helper.kind, helper.district, helper.occurred_on, self.leads[helper.helper])
        return KnownPair(author, Standing(), home.village[:4], load)

    def _decide(self, rules: Rules, key: str, entry: Entry, command: Any, known: Any) -> list[Event]:
        state = self.states.get((rules.stream, key), rules.start)
        events: list[Event] = rules.decide(state, command, known)
        for event in events:
            self.states[rules.stream, key] = state = rules.evolve(state, event, entry.agency)
            self._note(event)
        return events

    def _note(self, event: Event) -> None:
        if isinstance(event, HelperEnrolled):
            self.helpers[event.helper] = event
        elif isinstance(event, PairAssigned) and event.role is PairRole.LEAD:
            self.leads[event.helper][event.household] = [helpers.Days(event.occurred_on)]
        elif isinstance(event, HouseholdRegistered):
            self.homes[event.household] = event


def _members(command: Any) -> tuple[Member, ...]:
    if not isinstance(command, RegisterHousehold):
        return ()
    return tuple(
        Member(person=member.person or "", relation=member.relation, citizen_id_check=DigitCheck.ABSENT)
        for member in command.members
    )


@pytest.fixture(scope="module")
def events() -> list[tuple[Entry, Event]]:
    programme = Programme()
    made = [(entry, programme.take(entry)) for entry in everything(make())]
    assert [len(each) for _, each in made] == [1] * len(made)  # nothing said twice, nothing refused
    return [(entry, event) for entry, [event] in made]


@pytest.fixture(scope="module")
def cards(events: list[tuple[Entry, Event]]) -> dict[str, Card]:
    return fold(events)


def fold(events: list[tuple[Entry, Event]]) -> dict[str, Card]:
    folded: dict[str, Card] = {}
    heads = Counter[str]()
    for entry, event in events:
        key: str = getattr(event, "household", None) or event.helper  # type: ignore[attr-defined]
        stream = f"{entry.service}-{key}"
        heads[stream] += 1
        fact = Fact(key, (entry.sent_at, stream, heads[stream]), "", event.type, entry.agency, event)
        folded[key] = evolve(folded.get(key, blank(key)), fact)
    return folded


def counted(cards: dict[str, Card], day: date) -> dict[tuple[str, str], int]:
    """(dimension, measure) -> households on that day, as the read model's rows add up."""
    sums: defaultdict[tuple[str, str], int] = defaultdict(int)
    for card in cards.values():
        if isinstance(card, Household):
            for (valid_on, *cell), n in coverage.MODEL.unpacked(coverage.MODEL.rows(card)).items():
                if cell[0] == DEFAULT:
                    sums[str(cell[4]), str(cell[5])] += n * (valid_on <= day)  # type: ignore[operator]
    return sums


def test_the_read_model_gives_the_published_table(cards: dict[str, Card]) -> None:
    sums = counted(cards, published.INTERVIEW)
    for line in published.TABLE:
        assert (sums[line.dimension, "reached"], sums[line.dimension, "need"]) == (line.reached, line.in_need)


def test_help_that_must_not_count_is_listed_beside(cards: dict[str, Card]) -> None:
    sums = counted(cards, published.INTERVIEW)
    assert sum(sums[line.dimension, "outside_need"] for line in published.TABLE) >= 90
    assert sums["education", "unreached"] == 367 - 266
    assert sums["welfare", "resolved"] > 0


def test_nobody_was_reached_when_the_programme_began(cards: dict[str, Card]) -> None:
    sums = counted(cards, PROGRAMME_START)
    for line in published.TABLE:
        assert (sums[line.dimension, "reached"], sums[line.dimension, "need"]) == (0, line.in_need)


def test_what_was_entered_wrongly_counted_until_it_was_set_right(events: list[tuple[Entry, Event]]) -> None:
    until = datetime(2020, 10, 1, tzinfo=BANGKOK)
    known = [(entry, event) for entry, event in events if entry.sent_at < until]
    right = [(entry, event) for entry, event in known if "mistake" not in entry.command["id"]]
    with_them, without = (counted(fold(some), until.date()) for some in (known, right))
    more = {cell: with_them[cell] - without[cell] for cell in with_them if cell[1] in ("reached", "need")}
    assert {cell: n for cell, n in more.items() if n} == {
        ("welfare", "reached"): WRONG_HOUSEHOLD,
        ("education", "reached"): WRONG_DIMENSION,
        ("occupation", "need"): WRONG_NEED,
    }
