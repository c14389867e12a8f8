"""The registry over HTTP: takes commands about households, seals personal details, finds who is registered twice."""

import hashlib
import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import cast

import asyncpg
from fastapi import FastAPI
from pydantic import SecretStr
from stdnum.th import pin
from stdnum.util import isdigits

from services.registry import domain
from shared import places
from shared.commands.app import create
from shared.commands.reading import Submission
from shared.errors import Rejected
from shared.events.base import Event, HouseholdId, PersonId
from shared.events.codes import DigitCheck
from shared.events.registry import (
    HouseholdRegistered,
    Member,
    MemberEntry,
    RegisterHousehold,
    RegistryCommand,
    RegistryEvent,
)
from shared.eventstore.sealing import Vault
from shared.runtime import ids
from shared.runtime.settings import Clock, Settings

CITIZEN_ID_LENGTH = 13


def app(settings: Settings) -> FastAPI:
    return create(settings, Registry(settings))


class Registry:
    """What the registry brings to the desk."""

    service = "registry"

    def __init__(self, settings: Settings) -> None:
        self.clock: Clock = settings.clock
        self._key_encryption_key = settings.key("kek")
        self._hash_key = settings.key("body.key")

    def stream(self, submission: Submission) -> str:
        return f"household-{household_of(submission)}"

    def start(self, _: str) -> domain.Household:
        return domain.START

    def evolve(self, state: domain.Household, event: RegistryEvent) -> domain.Household:
        return domain.evolve(state, event)

    def flags(self, events: Sequence[Event]) -> list[str]:
        registered = (event for event in events if isinstance(event, HouseholdRegistered))
        wrong = any(m.citizen_id_check is DigitCheck.WRONG for event in registered for m in event.members)
        return ["citizen_id_check_digit"] if wrong else []

    async def gather(self, connection: asyncpg.Connection, submissions: Sequence[Submission]) -> "Lookups":
        entered = {s.key: self._entered(s, s.command) for s in submissions if isinstance(s.command, RegisterHousehold)}
        subjects = {person.id for one in entered.values() for person in one.people} | {
            one.household for one in entered.values()
        }
        hashes = [person.hash for one in entered.values() for person in one.people if person.hash]
        vault = await Vault.open(connection, self._key_encryption_key, sorted(subjects))
        rows = await connection.fetch("SELECT hash, household FROM citizen_hash WHERE hash = ANY($1)", hashes)
        return Lookups(entered, vault, {row["hash"]: row["household"] for row in rows})

    def _entered(self, submission: Submission, command: RegisterHousehold) -> "Entered":
        people = tuple(
            Person(member.person or ids.new_id("pr"), member, self._hash(member.citizen_id))
            for member in command.members
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
    """A registration as it was typed in, with the ids that it will have."""

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

    def decide(self, state: domain.Household, submission: Submission) -> Sequence[RegistryEvent]:
        command = cast(RegistryCommand, submission.command)
        if not isinstance(command, RegisterHousehold):
            return domain.decide(state, command, domain.Known(command.household))
        places.check_village(command.village, "data.village")
        return domain.decide(state, command, self._known(self._entered[submission.key]))

    def took(self, event: Event) -> None:
        if not isinstance(event, HouseholdRegistered):
            return
        self._subjects |= {event.household, *(member.person for member in event.members)}
        for member in event.members:
            if (number := self._people[member.person].hash) is not None:
                self._registered[number] = event.household
                self._hashes[number] = (member.person, event.household)

    async def save(self, connection: asyncpg.Connection) -> None:
        await self._vault.save(connection, self._subjects)
        if self._hashes:
            rows = sorted((number, *who) for number, who in self._hashes.items())
            await connection.execute(
                "INSERT INTO citizen_hash SELECT * FROM unnest($1::bytea[], $2::text[], $3::text[])",
                *(list(column) for column in zip(*rows, strict=True)),
            )

    def _known(self, entered: Entered) -> domain.Known:
        numbers = [person.hash for person in entered.people if person.hash]
        if len(set(numbers)) < len(numbers):
            raise Rejected("person_named_twice", field="data.members")
        others = (self._registered.get(number) for number in numbers)
        return domain.Known(
            household=entered.household,
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


def _check(number: SecretStr | None) -> DigitCheck:
    """The check digit alone: `pin.validate` also refuses a first digit of 0, which people without registered status
    have, and 9, which nobody has and made-up people are given."""
    if number is None:
        return DigitCheck.ABSENT
    digits = pin.compact(number.get_secret_value())
    right = len(digits) == CITIZEN_ID_LENGTH and isdigits(digits) and digits[-1] == pin.calc_check_digit(digits)
    return DigitCheck.RIGHT if right else DigitCheck.WRONG
