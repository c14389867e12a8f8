"""Made-up people. Names are syllables strung together, and every family name begins with สมมุติ, "invented"."""

from dataclasses import dataclass
from datetime import date, timedelta
from random import Random

from stdnum.th import pin

from services.demo.ids import new_id
from shared.events.codes import Relation

_GIVEN = ("ฟู", "มะ", "ลิ", "นา", "คำ", "ทิว", "ไล", "วา", "ซา", "เบญ", "ปุ้ย", "แพง", "พร", "จัน", "บัว", "แก้ว")
_FAMILY = ("พาลา", "ดอนฟู", "ไกรลา", "นาวา", "แววไพร", "ซำเบญ", "คำทิว", "โนนมะลิ", "หนองปุ้ย", "บึงวา")

SURVEY = date(2018, 6, 1)
"""Ages are meant on this day, in the year of the จปฐ. survey that chose the households."""
WRONG_DIGIT, NO_NUMBER = 0.02, 0.03
"""Invented shares of people whose citizen number was typed wrong, or who have none."""


@dataclass(frozen=True)
class Person:
    """A member of a household. What is None is left out of the command."""

    id: str
    relation: Relation
    name: str
    citizen_id: str | None
    phone: str | None
    birth_on: date


class People:
    """Makes people, no two with the same citizen number."""

    def __init__(self, rng: Random) -> None:
        self._rng, self._numbers = rng, set[str]()

    def person(self, relation: Relation, youngest: int, oldest: int) -> Person:
        """Somebody whose age on `SURVEY` lies between the two, in years."""
        age_in_days = self._rng.randint(youngest * 365 + youngest // 4, oldest * 365 + oldest // 4)
        return Person(
            new_id("pr", self._rng),
            relation,
            self.name(),
            self._citizen_id(),
            self._phone() if relation is Relation.HEAD else None,
            SURVEY - timedelta(days=age_in_days),
        )

    def name(self) -> str:
        given = "".join(self._rng.choices(_GIVEN, k=self._rng.randint(2, 3)))
        return f"{given} สมมุติ{self._rng.choice(_FAMILY)}"

    def _citizen_id(self) -> str | None:
        """Thirteen digits that cannot be a real person's: the first tells the kind of person, 1 to 8 on Thai citizens'
        and residents' papers, 0 on those of people without registered status; no kind is 9 (Ministry of Interior)."""
        luck = self._rng.random()
        if luck < NO_NUMBER:
            return None
        while (body := f"9{self._rng.randrange(10**11):011}") in self._numbers:
            pass
        self._numbers.add(body)
        digit = int(pin.calc_check_digit(body))
        return f"{body}{(digit + (luck < NO_NUMBER + WRONG_DIGIT)) % 10}"

    def _phone(self) -> str | None:
        """Begins with 000: no subscriber's number does, 00 dials abroad."""
        return f"000{self._rng.randrange(10**7):07}" if self._rng.random() < 1 / 3 else None
