"""The registry over HTTP: takes commands about households, seals personal details, finds who is registered twice."""

from collections.abc import Iterator, Mapping, Sequence
from typing import cast

from pydantic import SecretStr
from starlette.applications import Starlette

from services.registry import domain
from services.registry.household import REGISTRATION, START, Household, evolve
from services.registry.people import Entered, Hasher, Person, Registered, door_of
from shared import places
from shared.commands.app import create
from shared.commands.reading import Submission
from shared.events.base import Event, HouseholdId, Slug
from shared.events.codes import DigitCheck
from shared.events.recoding import CorrectRecoding, RecodeHousehold
from shared.events.registry import (
    CorrectHousehold,
    CorrectRelocation,
    HouseholdEntryVoided,
    HouseholdRegistered,
    HouseholdRelocated,
    Member,
    MergeHousehold,
    RegisterHousehold,
    RegistryCommand,
    RegistryEvent,
    RelocateHousehold,
    UnmergeHousehold,
)
from shared.eventstore.sealing import Vault
from shared.runtime import ids
from shared.runtime.settings import Clock, Settings
from shared.runtime.statement import Statement

Telling = RegisterHousehold | RelocateHousehold
"""Commands with personal details."""
Placing = (
    RegisterHousehold | RelocateHousehold | RecodeHousehold | CorrectHousehold | CorrectRelocation | CorrectRecoding
)
"""Commands that name a village."""


def app(settings: Settings) -> Starlette:
    return create(settings, Registry(settings))


class Registry:
    """What the registry brings to the desk."""

    service = "registry"
    at_once = 2

    def __init__(self, settings: Settings) -> None:
        self.clock: Clock = settings.clock
        self._key_encryption_key = settings.key("kek")
        self._hasher = Hasher(settings.key("body.key"))

    def streams(self, submission: Submission) -> Sequence[str]:
        other = other_of(submission)
        return [f"household-{household_of(submission)}", *([f"household-{other}"] if other else [])]

    def apart(self, submission: Submission) -> Sequence[str]:
        """Who lives behind one door is compared: no key of a table keeps two from being registered there at once."""
        command, streams = submission.command, self.streams(submission)
        if isinstance(command, RegisterHousehold) and command.house_number:
            return [*streams, door_of(command.village, command.house_number)]
        return streams

    def stream_of(self, event: Event) -> str:
        return f"household-{cast(RegistryEvent, event).household}"

    def start(self, _: str) -> Household:
        return START

    def evolve(self, state: Household, event: RegistryEvent, agency: Slug) -> Household:
        return evolve(state, event, agency)

    async def gather(self, statement: Statement, submissions: Sequence[Submission]) -> "Lookups":
        entered = {s.fresh: self._entered(s, s.command) for s in submissions if isinstance(s.command, Telling)}
        named = {subject for s in submissions if isinstance(s.command, Telling) for subject in _named(s.command)}
        Vault.look_up(statement, sorted(named))
        Registered.look_up(statement, entered.values())
        told = await statement.read()
        return Lookups(entered, Vault.found(self._key_encryption_key, told), Registered.found(told))

    def _entered(self, submission: Submission, command: Telling) -> Entered:
        household, door = household_of(submission), command.house_number
        if not isinstance(command, RegisterHousehold):
            return Entered(household, door)
        people = tuple(self._hasher.person(member.person or ids.new_id("pr"), member) for member in command.members)
        return Entered(household, door, people, self._hasher.doors(command.village, door, command.members))


class Lookups:
    """What was looked up for the commands of one transaction."""

    def __init__(self, entered: Mapping[str, Entered], vault: Vault, registered: Registered) -> None:
        self._entered, self._vault, self._registered = entered, vault, registered
        self._subjects: set[str] = set()

    def decide(self, states: Sequence[Household], submission: Submission) -> Sequence[RegistryEvent]:
        command = cast(RegistryCommand, submission.command)
        if isinstance(command, Placing):
            places.check_village(command.village, "data.village")
        known = domain.Known(household_of(submission), submission.author, other=states[-1])
        if entered := self._entered.get(submission.fresh):
            known = self._with_details(known, entered)
        return domain.decide(states[0], command, known)

    def took(self, submission: Submission, event: Event, before: Household, after: Household) -> None:
        match event:
            case HouseholdRegistered():
                self._subjects |= {event.household, *(member.person for member in event.members)}
                self._registered.took(self._entered[submission.fresh])
            case HouseholdRelocated():
                self._subjects.add(event.household)
            case HouseholdEntryVoided(voids=version) if version == REGISTRATION:
                self._registered.free(event.household)

    def flags(self, submission: Submission, events: Sequence[Event]) -> list[str]:
        if not any(isinstance(event, HouseholdRegistered) for event in events):
            return []
        entered = self._entered[submission.fresh]
        wrong = any(person.citizen_id_check is DigitCheck.WRONG for person in entered.people)
        twice = self._registered.perhaps_twice(entered)
        return ["citizen_id_check_digit"] * wrong + ["household_perhaps_twice"] * twice

    async def save(self, statement: Statement) -> None:
        self._vault.save(statement, self._subjects)
        await self._registered.save(statement)

    def _with_details(self, known: domain.Known, entered: Entered) -> domain.Known:
        duplicate_of = self._registered.elsewhere(entered)
        return known._replace(
            members=tuple(self._sealed(person) for person in entered.people),
            address_sealed=self._sealed_text(entered.household, {"house_number": entered.house_number}),
            duplicate_of=duplicate_of,
        )

    def _sealed(self, person: Person) -> Member:
        entry = person.entry
        birth = SecretStr(entry.birth_on.isoformat()) if entry.birth_on else None
        told = {"name": entry.name, "citizen_id": entry.citizen_id, "phone": entry.phone, "birth_on": birth}
        return Member(
            person=person.id,
            relation=entry.relation,
            citizen_id_check=person.citizen_id_check,
            sealed=self._sealed_text(person.id, told),
        )

    def _sealed_text(self, subject: str, told: Mapping[str, SecretStr | None]) -> str | None:
        details = {name: value.get_secret_value() for name, value in told.items() if value is not None}
        return self._vault.seal(subject, details) if details else None


def _named(command: Telling) -> Iterator[str]:
    """Household and people whose ids the sender gives: the others are made now, and cannot have a key yet."""
    if command.household:
        yield command.household
    if isinstance(command, RegisterHousehold):
        yield from (member.person for member in command.members if member.person)


def household_of(submission: Submission) -> HouseholdId:
    """The household that a command names, or the one that it will make."""
    command = cast(RegistryCommand, submission.command)
    return command.household or f"hh_{submission.fresh}"


def other_of(submission: Submission) -> HouseholdId | None:
    """The second household that a command names."""
    match submission.command:
        case MergeHousehold(into=other) | UnmergeHousehold(out_of=other):
            return other
        case _:
            return None
