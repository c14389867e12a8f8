"""The registry over HTTP: takes commands about households, seals personal details, finds who is registered twice."""

import hashlib
import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import cast

import asyncpg
from fastapi import FastAPI
from pydantic import SecretStr
from stdnum.th import pin
from stdnum.util import isdigits

from services.registry import domain
from services.registry.household import REGISTRATION, START, Household, evolve
from shared import places
from shared.commands.app import create
from shared.commands.reading import Submission
from shared.errors import Rejected
from shared.events.base import Event, HouseholdId, PersonId, Slug
from shared.events.codes import DigitCheck
from shared.events.registry import (
    CorrectHousehold,
    CorrectRelocation,
    HouseholdEntryVoided,
    HouseholdRegistered,
    HouseholdRelocated,
    Member,
    MemberEntry,
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

CITIZEN_ID_LENGTH = 13

Telling = RegisterHousehold | RelocateHousehold
"""Commands with personal details."""
Placing = RegisterHousehold | RelocateHousehold | CorrectHousehold | CorrectRelocation
"""Commands that name a village."""


def app(settings: Settings) -> FastAPI:
    return create(settings, Registry(settings))


class Registry:
    """What the registry brings to the desk."""

    service = "registry"

    def __init__(self, settings: Settings) -> None:
        self.clock: Clock = settings.clock
        self._key_encryption_key = settings.key("kek")
        self._hash_key = settings.key("body.key")

    def streams(self, submission: Submission) -> Sequence[str]:
        others = (other for other in (other_of(submission),) if other)
        return [f"household-{household}" for household in (household_of(submission), *others)]

    def stream_of(self, event: Event) -> str:
        return f"household-{cast(RegistryEvent, event).household}"

    def start(self, _: str) -> Household:
        return START

    def evolve(self, state: Household, event: RegistryEvent, agency: Slug) -> Household:
        return evolve(state, event, agency)

    def flags(self, events: Sequence[Event]) -> list[str]:
        registered = (event for event in events if isinstance(event, HouseholdRegistered))
        wrong = any(m.citizen_id_check is DigitCheck.WRONG for event in registered for m in event.members)
        return ["citizen_id_check_digit"] if wrong else []

    async def gather(self, connection: asyncpg.Connection, submissions: Sequence[Submission]) -> "Lookups":
        entered = {s.key: self._entered(s, s.command) for s in submissions if isinstance(s.command, Telling)}
        subjects = {person.id for one in entered.values() for person in one.people} | {
            one.household for one in entered.values()
        }
        hashes = [person.hash for one in entered.values() for person in one.people if person.hash]
        vault = await Vault.open(connection, self._key_encryption_key, sorted(subjects))
        rows = await connection.fetch("SELECT hash, household FROM citizen_hash WHERE hash = ANY($1)", hashes)
        return Lookups(entered, vault, {row["hash"]: row["household"] for row in rows})

    def _entered(self, submission: Submission, command: RegisterHousehold | RelocateHousehold) -> "Entered":
        people = tuple(
            Person(member.person or ids.new_id("pr"), member, self._hash(member.citizen_id))
            for member in (command.members if isinstance(command, RegisterHousehold) else ())
        )
        return Entered(household_of(submission), command.house_number, people)

    def _hash(self, number: SecretStr | None) -> bytes | None:
        if number is None:
            return None
        return hmac.new(self._hash_key, pin.compact(number.get_secret_value()).encode(), hashlib.sha256).digest()


@dataclass(frozen=True, slots=True)
class Person:
    id: PersonId
    entry: MemberEntry
    hash: bytes | None
    """Keyed, of the citizen number; None where there is no number."""


@dataclass(frozen=True, slots=True)
class Entered:
    """What a registration or a relocation tells of people and places, with the ids that it will have."""

    household: HouseholdId
    house_number: SecretStr | None
    people: tuple[Person, ...]


class Lookups:
    """What was looked up for the commands of one transaction."""

    def __init__(
        self, entered: Mapping[tuple[str, str], Entered], vault: Vault, registered: Mapping[bytes, HouseholdId]
    ) -> None:
        self._entered, self._vault, self._registered = entered, vault, dict(registered)
        self._people = {person.id: person for one in entered.values() for person in one.people}
        self._subjects: set[str] = set()
        self._hashes: dict[bytes, tuple[PersonId, HouseholdId]] = {}
        self._voided: set[HouseholdId] = set()

    def decide(self, states: Sequence[Household], submission: Submission) -> Sequence[RegistryEvent]:
        command = cast(RegistryCommand, submission.command)
        if isinstance(command, Placing):
            places.check_village(command.village, "data.village")
        known = domain.Known(household_of(submission), submission.author, other=states[-1])
        if entered := self._entered.get(submission.key):
            known = self._with_details(known, entered)
        return domain.decide(states[0], command, known)

    def took(self, event: Event, before: Household, after: Household) -> None:
        match event:
            case HouseholdRegistered():
                self._took_registration(event)
            case HouseholdRelocated():
                self._subjects.add(event.household)
            case HouseholdEntryVoided(voids=version) if version == REGISTRATION:
                self._free(event.household)

    def _took_registration(self, event: HouseholdRegistered) -> None:
        self._subjects |= {event.household, *(member.person for member in event.members)}
        for member in event.members:
            if (number := self._people[member.person].hash) is not None:
                self._registered[number] = event.household
                self._hashes[number] = (member.person, event.household)

    def _free(self, household: HouseholdId) -> None:
        """Who was registered in a household that never was can be registered."""
        self._voided.add(household)
        self._registered = {number: at for number, at in self._registered.items() if at != household}
        self._hashes = {number: who for number, who in self._hashes.items() if who[1] != household}

    async def save(self, connection: asyncpg.Connection) -> None:
        await self._vault.save(connection, self._subjects)
        if self._voided:
            await connection.execute("DELETE FROM citizen_hash WHERE household = ANY($1)", sorted(self._voided))
        if self._hashes:
            rows = sorted((number, *who) for number, who in self._hashes.items())
            await connection.execute(
                "INSERT INTO citizen_hash SELECT * FROM unnest($1::bytea[], $2::text[], $3::text[])",
                *(list(column) for column in zip(*rows, strict=True)),
            )

    def _with_details(self, known: domain.Known, entered: Entered) -> domain.Known:
        numbers = [person.hash for person in entered.people if person.hash]
        if len(set(numbers)) < len(numbers):
            raise Rejected("person_named_twice", field="data.members")
        others = (self._registered.get(number) for number in numbers)
        return replace(
            known,
            members=tuple(self._sealed(person) for person in entered.people),
            address_sealed=self._sealed_text(entered.household, {"house_number": entered.house_number}),
            duplicate_of=next((other for other in others if other and other != entered.household), None),
        )

    def _sealed(self, person: Person) -> Member:
        entry = person.entry
        birth = SecretStr(entry.birth_on.isoformat()) if entry.birth_on else None
        told = {"name": entry.name, "citizen_id": entry.citizen_id, "phone": entry.phone, "birth_on": birth}
        return Member(
            person=person.id,
            relation=entry.relation,
            citizen_id_check=_check(entry.citizen_id),
            sealed=self._sealed_text(person.id, told),
        )

    def _sealed_text(self, subject: str, told: Mapping[str, SecretStr | None]) -> str | None:
        details = {name: value.get_secret_value() for name, value in told.items() if value is not None}
        return self._vault.seal(subject, details) if details else None


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


def _check(number: SecretStr | None) -> DigitCheck:
    """The check digit alone: `pin.validate` also refuses a first digit of 0, which people without registered status
    have, and 9, which nobody has and made-up people are given."""
    if number is None:
        return DigitCheck.ABSENT
    digits = pin.compact(number.get_secret_value())
    right = len(digits) == CITIZEN_ID_LENGTH and isdigits(digits) and digits[-1] == pin.calc_check_digit(digits)
    return DigitCheck.RIGHT if right else DigitCheck.WRONG
