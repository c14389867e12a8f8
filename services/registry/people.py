"""Finds who is registered already: by citizen number, by the id of a person, by door and name. Keyed hashes only."""

import re
import unicodedata
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from typing import NamedTuple

from pydantic import SecretStr
from stdnum.th import pin
from stdnum.util import isdigits

from shared.errors import Rejected
from shared.events.base import HouseholdId, PersonId, VillageCode
from shared.events.codes import DigitCheck
from shared.events.registry import MemberEntry
from shared.runtime.keyed import Keyed
from shared.runtime.postgres import columns
from shared.runtime.statement import Statement, Told

CITIZEN_ID_LENGTH = 13
TITLE = re.compile("^(นางสาว|นาง|นาย|น\\.?ส\\.?|เด็กชาย|เด็กหญิง|ด\\.?ช\\.?|ด\\.?ญ\\.?)")
"""Before a name: one clerk writes it, the next does not."""


class Person(NamedTuple):
    id: PersonId
    entry: MemberEntry
    citizen_id_check: DigitCheck
    number: bytes | None
    """Keyed hash of the citizen number. Only of one whose check digit is right: what a clerk types where there is no
    number ("-", a row of ones) is shared by people who have nothing to do with each other."""


class Entered(NamedTuple):
    """What a registration or a relocation tells of people and places, with the ids that it will have."""

    household: HouseholdId
    house_number: SecretStr | None
    people: tuple[Person, ...] = ()
    doors: tuple[bytes, ...] = ()
    """Keyed hashes of village, house number and a member's name."""


class Hasher:
    def __init__(self, key: bytes) -> None:
        self._keyed = Keyed(key)

    def person(self, id_: PersonId, entry: MemberEntry) -> Person:
        if entry.citizen_id is None:
            return Person(id_, entry, DigitCheck.ABSENT, None)
        number = _compact(entry.citizen_id.get_secret_value())
        if not _right(number):
            return Person(id_, entry, DigitCheck.WRONG, None)
        return Person(id_, entry, DigitCheck.RIGHT, self._hash(number))

    def doors(
        self, village: VillageCode, house_number: SecretStr | None, entries: Iterable[MemberEntry]
    ) -> tuple[bytes, ...]:
        if house_number is None:
            return ()
        door = door_of(village, house_number)
        return tuple(self._hash("door", door, TITLE.sub("", _plain(e.name))) for e in entries if e.name)

    def _hash(self, *parts: str) -> bytes:
        return self._keyed.digest("\0".join(parts).encode())


def door_of(village: VillageCode, house_number: SecretStr) -> str:
    """In clear: for memory alone."""
    return f"{village}\0{_plain(house_number)}"


def _plain(text: SecretStr) -> str:
    """However it is spaced, and in whichever of Unicode's forms."""
    return "".join(unicodedata.normalize("NFKC", text.get_secret_value()).casefold().split())


def _compact(typed: str) -> str:
    return typed if typed.isascii() and typed.isdigit() else pin.compact(typed)


def _right(number: str) -> bool:
    """The check digit alone: `pin.validate` also refuses a first digit of 0, which people without registered status
    have, and 9, which nobody has and made-up people are given."""
    return len(number) == CITIZEN_ID_LENGTH and isdigits(number) and number[-1] == pin.calc_check_digit(number)


class Registered:
    """Who is registered where, of those that one transaction's commands name; kept in step with its events."""

    def __init__(
        self,
        numbers: Mapping[bytes, HouseholdId],
        persons: Mapping[PersonId, HouseholdId],
        doors: Iterable[tuple[bytes, HouseholdId]],
    ) -> None:
        self._numbers, self._persons = dict(numbers), dict(persons)
        self._doors: dict[bytes, set[HouseholdId]] = defaultdict(set)
        for door, household in doors:
            self._doors[door].add(household)
        self._new: dict[HouseholdId, Entered] = {}
        self._voided: set[HouseholdId] = set()

    @staticmethod
    def look_up(statement: Statement, entered: Collection[Entered]) -> None:
        """Has it find who is registered of these."""
        numbers = [person.number for one in entered for person in one.people if person.number]
        statement.add("numbers", "SELECT hash, household FROM citizen_hash WHERE hash = ANY($1::bytea[])", numbers)
        persons = [person.id for one in entered for person in one.people]
        statement.add("persons", "SELECT person, household FROM member WHERE person = ANY($1::text[])", persons)
        doors = [door for one in entered for door in one.doors]
        statement.add("doors", "SELECT hash, household FROM door_hash WHERE hash = ANY($1::bytea[])", doors)

    @classmethod
    def found(cls, told: Told) -> "Registered":
        return cls(dict(told["numbers"]), dict(told["persons"]), told["doors"])

    def elsewhere(self, entered: Entered) -> HouseholdId | None:
        """Another household that holds one of these people. Raises Rejected person_named_twice."""
        numbers = [person.number for person in entered.people if person.number]
        if len(set(numbers)) < len(numbers):
            raise Rejected("person_named_twice", field="data.members")
        found = [*map(self._numbers.get, numbers), *(self._persons.get(person.id) for person in entered.people)]
        return next((other for other in found if other and other != entered.household), None)

    def perhaps_twice(self, entered: Entered) -> bool:
        """Whether somebody of this name lives behind the same door in another household."""
        return any(self._doors[door] - {entered.household} for door in entered.doors)

    def took(self, entered: Entered) -> None:
        self._new[entered.household] = entered
        self._numbers |= {person.number: entered.household for person in entered.people if person.number}
        self._persons |= {person.id: entered.household for person in entered.people}
        for door in entered.doors:
            self._doors[door].add(entered.household)

    def free(self, household: HouseholdId) -> None:
        """Who was registered in a household that never was can be registered."""
        self._voided.add(household)
        self._new.pop(household, None)
        self._numbers = {number: at for number, at in self._numbers.items() if at != household}
        self._persons = {person: at for person, at in self._persons.items() if at != household}
        for households in self._doors.values():
            households.discard(household)

    async def save(self, statement: Statement) -> None:
        """A person or number that another transaction registers meanwhile raises UniqueViolationError."""
        if self._voided:  # before: of what one statement adds, no part sees what another removes
            await statement.connection.execute(
                """WITH numbers AS (DELETE FROM citizen_hash WHERE household = ANY($1::text[])),
                        persons AS (DELETE FROM member WHERE household = ANY($1::text[]))
                   DELETE FROM door_hash WHERE household = ANY($1::text[])""",
                sorted(self._voided),
            )
        if not self._new:
            return
        people = [(person, one.household) for one in self._new.values() for person in one.people]
        numbers = sorted((p.number, p.id, household) for p, household in people if p.number)
        persons = sorted((p.id, household) for p, household in people)
        doors = sorted({(door, one.household) for one in self._new.values() for door in one.doors})
        statement.add("numbers", _NUMBERS, *columns(numbers, 3))
        statement.add("persons", _PERSONS, *columns(persons, 2))
        statement.add("doors", _DOORS, *columns(doors, 2))


_NUMBERS = "INSERT INTO citizen_hash SELECT * FROM unnest($1::bytea[], $2::text[], $3::text[])"
_PERSONS = "INSERT INTO member SELECT * FROM unnest($1::text[], $2::text[])"
_DOORS = "INSERT INTO door_hash SELECT * FROM unnest($1::bytea[], $2::text[])"
