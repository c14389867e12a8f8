"""A household or a person that is registered already, found whatever the clerks typed."""

import asyncio
import json

import pytest

from services.registry.api import Registry
from shared.commands.reading import Reader
from shared.events import catalog
from shared.runtime import auth, ids
from tests.support.commands import register


async def answer(registry, *members, **data):
    told = (await registry.post("/commands", json=register(members=list(members), **data))).json()
    return told.get("code"), told.get("flags")


@pytest.mark.parametrize("typed", ["-", " ", "0", "1111111111111", "ไม่มี", "1-2345-67890-12-3"])
async def test_what_is_typed_where_there_is_no_number_makes_nobody_the_same(registry, typed):
    flagged = (None, ["citizen_id_check_digit"])
    both = {"relation": "head", "citizen_id": typed}, {"relation": "spouse", "citizen_id": typed}
    assert await answer(registry, *both) == flagged
    assert await answer(registry, *both) == flagged


async def test_a_person_is_in_one_household(registry):
    person = {"relation": "child", "person": ids.new_id("pr")}
    assert await answer(registry, person) == (None, [])
    assert await answer(registry, {"relation": "head"}, person) == ("household_duplicate", None)


async def test_registered_at_the_same_moment_a_person_is_in_one_household(registry):
    person = {"relation": "head", "person": ids.new_id("pr")}
    codes = [code for code, _ in await asyncio.gather(*(answer(registry, person) for _ in range(8)))]
    assert sorted(map(str, codes)) == ["None"] + ["household_duplicate"] * 7


CALLER = auth.Caller("ac-test", "example-office", auth.Role.AGENCY)
DOOR = {"village": "40190101", "house_number": " 12/3 หมู่ 1"}


@pytest.mark.parametrize(
    ("name", "door", "flags"),
    [
        ("นายสมมติ  ตัวอย่าง", {}, ["household_perhaps_twice"]),
        ("สมมติ ตัวอย่าง", {"house_number": "12/3หมู่ 1"}, ["household_perhaps_twice"]),
        ("สมหมาย ตัวอย่าง", {}, []),
        ("นายสมมติ ตัวอย่าง", {"village": "40190102"}, []),
        ("นายสมมติ ตัวอย่าง", {"house_number": "12/4 หมู่ 1"}, []),
        ("นายสมมติ ตัวอย่าง", {"house_number": None}, []),
    ],
)
async def test_the_same_name_behind_the_same_door_is_flagged(registry, name, door, flags):
    first = {**DOOR, "house_number": DOOR["house_number"] + str(ids.new_id("rc"))}
    room = first["house_number"].removeprefix(DOOR["house_number"])
    second = first | {key: value and value + room * (key == "house_number") for key, value in door.items()}
    assert await answer(registry, {"relation": "head", "name": "นายสมมติ ตัวอย่าง"}, **first) == (None, [])
    assert await answer(registry, {"relation": "child"}, {"relation": "head", "name": name}, **second) == (None, flags)


async def test_registered_at_the_same_moment_all_but_one_behind_the_same_door_are_flagged(registry):
    person, door = {"relation": "head", "name": "สมมติ ตัวอย่าง"}, DOOR | {"house_number": str(ids.new_id("rc"))}
    told = await asyncio.gather(*(answer(registry, person, **door) for _ in range(40)))
    assert sorted(told, key=str) == [(None, ["household_perhaps_twice"])] * 39 + [(None, [])]


def test_who_lives_behind_one_door_is_never_decided_by_two_batches_at_once(servers):
    registry, reader = Registry(servers.settings("registry")), Reader(catalog.COMMANDS["registry"], b"k" * 32)

    def apart(**data):
        submission = reader.read(json.dumps(register(members=[{"relation": "head"}], **DOOR | data)).encode(), CALLER)
        return set(registry.apart(submission))

    assert len(apart() & apart(house_number="12/3หมู่ 1")) == 1
    assert apart().isdisjoint(apart(village="40190102") | apart(house_number="12/4") | apart(house_number=None))


async def test_people_of_a_household_that_never_was_can_be_registered(registry, store):
    household, person = ids.new_id("hh"), {"relation": "head", "person": ids.new_id("pr"), "name": "สมมติ ที่ถูกลบ"}
    assert await answer(registry, person, **DOOR, household=household) == (None, [])
    void = {"occurred_on": "2020-01-01", "household": household, "voids": 1, "reason": "never-happened"}
    wish = {"type": "VoidHouseholdEntry.v1", "id": ids.new_id("rc"), "data": void}
    assert (await registry.post("/commands", json=wish)).status_code == 201
    for table in ("citizen_hash", "member", "door_hash"):
        assert await store.fetchval(f"SELECT count(*) FROM {table} WHERE household = $1", household) == 0
    assert await answer(registry, person, **DOOR) == (None, [])
