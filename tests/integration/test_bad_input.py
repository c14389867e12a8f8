"""Everything that a caller may get wrong, sent through the public gateway to the real services on the real store.

The answer is a problem document (RFC 9457) with a stable code, in Thai and English, and the field.
"""

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import httpx
import pytest
import pytest_asyncio

from services.gateway.body import COMMAND_BYTES
from shared.errors import CATALOG
from shared.events.catalog import SERVICES
from shared.runtime import auth, ids
from shared.runtime.auth import Role
from tests.support import gateway as g
from tests.support.commands import assign, command, enrol, helped, merge, ndjson, register, tell_of_household, void
from tests.support.processes import Process, running
from tests.support.servers import Servers, free_port

Wish = dict[str, Any]


@dataclass(frozen=True)
class World:
    """The gateway with its three services, and what has to be there before something can go wrong."""

    servers: Servers
    url: str

    def client(self, bearer: str | None = None) -> httpx.AsyncClient:
        return g.client(self.url, bearer or g.token(self.servers, Role.AGENCY))

    async def send(self, service: str, wish: Wish | bytes, bearer: str | None = None) -> httpx.Response:
        content = wish if isinstance(wish, bytes) else json.dumps(wish).encode()
        async with self.client(bearer) as client:
            return await client.post(f"/v1/{service}/commands", content=content)

    async def officer(self) -> str:
        return await self.subject("pairing", enrol())

    async def subject(self, service: str, wish: Wish) -> str:
        answer = await self.send(service, wish)
        assert answer.status_code == 201, answer.text
        return str(answer.json()["subject"])

    async def household(self, service: str = "pairing", village: str = "40190101") -> str:
        return await tell_of_household(self.servers, service, village)


@pytest_asyncio.fixture(scope="module")
async def world(servers: Servers) -> AsyncIterator[World]:
    services = {
        name: Process(
            name, "api", servers.settings(name, http_port=free_port()), servers.home.log(f"{name}-behind-gateway")
        )
        for name in SERVICES
    }
    urls = {name: service.url for name, service in services.items()}
    async with running(*services.values()), g.tables(servers) as (_, dsn), g.gateway(servers, dsn, urls) as url:
        yield World(servers, url)


# -- what is sent --------------------------------------------------------------------------------------------------


def citizen(number: str) -> list[Wish]:
    return [{"relation": "head", "citizen_id": number}]


async def same_person_elsewhere(world: World) -> Wish:
    members = citizen("0876500000016")
    await world.subject("registry", register(members=members))
    return register(members=members)


async def same_household_otherwise(world: World) -> Wish:
    household = ids.new_id("hh")
    await world.subject("registry", register(household=household))
    return register(household=household, village="40190102")


async def third_household(world: World) -> Wish:
    officer = await world.officer()
    for _ in range(2):
        await world.subject("pairing", assign(await world.household(), officer))
    return assign(await world.household(), officer)


async def across_districts(world: World) -> Wish:
    return assign(await world.household(village="40010101"), await world.officer())


async def unknown_household_to_pair(world: World) -> Wish:
    return assign(ids.new_id("hh"), await world.officer())


async def negative_money(world: World) -> Wish:
    return helped(await world.household("interventions"), amount_baht="-0.01")


async def anothers_entry(world: World) -> Wish:
    bearer = g.token(world.servers, Role.AGENCY, agency="red-cross")
    answer = await world.send("registry", register(), bearer)
    return void(answer.json()["subject"], 1)


async def voided_entry(world: World) -> Wish:
    household = await world.subject("registry", register())
    await world.subject("registry", classify(household))
    await world.subject("registry", void(household, 2))
    return void(household, 2, reason="wrong-household")


async def voided_household(world: World) -> Wish:
    household = await world.subject("registry", register())
    await world.subject("registry", void(household, 1))
    return classify(household)


async def merged_household(world: World) -> Wish:
    one, other = [await world.subject("registry", register()) for _ in range(2)]
    await world.subject("registry", merge(one, other))
    return classify(one)


async def no_such_entry(world: World) -> Wish:
    return void(await world.subject("registry", register()), 2)


async def into_itself(world: World) -> Wish:
    household = await world.subject("registry", register())
    return merge(household, household)


async def helper_with_a_pair(world: World) -> Wish:
    helper = await world.officer()
    await world.subject("pairing", assign(await world.household(), helper))
    return command("VoidHelper.v1", helper=helper, occurred_on="2020-02-03", reason="never-happened")


def classify(household: str) -> Wish:
    return command("ClassifyHousehold.v1", household=household, occurred_on="2019-02-01", household_class="welfare")


class Bad(NamedTuple):
    what: str
    service: str
    wish: Wish | bytes | Callable[[World], Awaitable[Wish]]
    code: str
    field: str | None


_TWICE = b'{"type": "RegisterHousehold.v1", "id": "1", "data": {"village": "40190101", "village": "40010101"}}'
_NUL_IN_NAME = register(members=[{"relation": "head", "name": "\0"}])

BAD = (
    Bad("malformed JSON", "registry", b'{"type": "RegisterHousehold.v1", ', "json_malformed", None),
    Bad("no JSON object", "registry", b"[]", "json_not_object", None),
    Bad("a name twice", "registry", _TWICE, "json_duplicate_name", "village"),
    Bad("unknown field", "registry", register(nickname="x"), "field_unknown", "data.nickname"),
    Bad("unknown field outside", "registry", register() | {"prio": 1}, "field_unknown", "prio"),
    Bad("unknown version", "registry", register() | {"type": "RegisterHousehold.v9"}, "command_unknown", "type"),
    Bad("date in the future", "registry", register(occurred_on="2300-01-01"), "date_in_future", "data.occurred_on"),
    Bad("Buddhist-era year", "registry", register(occurred_on="2562-09-20"), "buddhist_year", "data.occurred_on"),
    Bad("negative money", "interventions", negative_money, "amount_negative", "data.amount_baht"),
    Bad("unknown village", "registry", register(village="40990101"), "place_unknown", "data.village"),
    Bad("unknown district", "pairing", enrol(district="4099"), "place_unknown", "data.district"),
    Bad("a household twice", "registry", same_person_elsewhere, "household_duplicate", "data.members"),
    Bad("its id twice", "registry", same_household_otherwise, "household_registered_otherwise", "data.household"),
    Bad("third household", "pairing", third_household, "helper_full", "data.helper"),
    Bad("across districts", "pairing", across_districts, "other_district_needs_reason_and_order", "data.reason"),
    Bad("unknown to registry", "registry", classify(ids.new_id("hh")), "household_unknown", "data.household"),
    Bad("unknown to pairing", "pairing", unknown_household_to_pair, "household_unknown", "data.household"),
    Bad("unknown to help", "interventions", helped(ids.new_id("hh")), "household_unknown", "data.household"),
    Bad("another's entry", "registry", anothers_entry, "not_the_publisher", "data.voids"),
    Bad("no such entry", "registry", no_such_entry, "entry_unknown", "data.voids"),
    Bad("a version below one", "registry", void("hh_" + "0" * 20, 0), "field_invalid", "data.voids"),
    Bad("a voided entry", "registry", voided_entry, "entry_voided", "data.voids"),
    Bad("a voided household", "registry", voided_household, "household_voided", "data.household"),
    Bad("a merged household", "registry", merged_household, "household_merged", "data.household"),
    Bad("merged into itself", "registry", into_itself, "merges_into_itself", "data.into"),
    Bad("a helper with a pair", "pairing", helper_with_a_pair, "helper_has_pairs", "data.helper"),
    Bad("over the limit", "registry", b" " * (COMMAND_BYTES + 1), "body_too_large", None),
    Bad("NUL byte", "registry", b'{"type": "RegisterHousehold.v1"\0}', "nul_byte", None),
    Bad("NUL escaped", "registry", _NUL_IN_NAME, "nul_byte", None),
)


# -- what is answered ----------------------------------------------------------------------------------------------


def checked(problem: dict[str, Any], code: str, field: str | None) -> None:
    """One problem document, whole: stable code, both languages, the field, and no word of what was sent."""
    assert (problem["code"], problem.get("field")) == (code, field)
    assert problem["type"] == f"urn:siao:problem:{code}"
    assert problem["status"] == CATALOG[code].status
    assert problem["retryable"] is CATALOG[code].retryable
    assert problem["title"].isascii()
    assert any("ก" <= letter <= "๛" for letter in problem["title_th"])
    assert "{" not in problem["title"] + problem["title_th"]


@pytest.mark.parametrize("bad", BAD, ids=lambda bad: bad.what)
async def test_what_is_wrong_is_told_with_code_field_and_both_languages(world: World, bad: Bad) -> None:
    wish = await bad.wish(world) if callable(bad.wish) else bad.wish
    answer = await world.send(bad.service, wish)
    assert answer.headers["content-type"] == "application/problem+json"
    checked(answer.json(), bad.code, bad.field)
    assert answer.status_code == answer.json()["status"]


STATUSES = {
    "json_malformed": 400,
    "json_not_object": 400,
    "json_duplicate_name": 400,
    "nul_byte": 400,
    "body_too_large": 413,
    "household_duplicate": 409,
    "household_registered_otherwise": 409,
    "helper_full": 409,
    "other_district_needs_reason_and_order": 409,
    "household_unknown": 409,
    "not_the_publisher": 403,
    "entry_unknown": 409,
    "entry_voided": 409,
    "household_voided": 409,
    "household_merged": 409,
    "helper_has_pairs": 409,
}


def test_the_statuses_are_part_of_the_contract() -> None:
    assert {bad.code: CATALOG[bad.code].status for bad in BAD} == {bad.code: STATUSES.get(bad.code, 422) for bad in BAD}


async def test_a_wrong_check_digit_is_flagged_not_refused(world: World) -> None:
    answer = await world.send("registry", register(members=citizen("0999900000011")))
    assert (answer.status_code, answer.json()["flags"]) == (201, ["citizen_id_check_digit"])


async def test_the_same_household_again_is_no_second_one(world: World) -> None:
    household = ids.new_id("hh")
    await world.subject("registry", register(household=household))
    again = await world.send("registry", register(household=household))
    assert (again.status_code, again.json()["events"]) == (200, [])


async def test_across_districts_with_reason_and_order_is_taken(world: World) -> None:
    wish = await across_districts(world)
    wish["data"] |= {"reason": "no-officer-left", "order": "3091/2562"}
    assert (await world.send("pairing", wish)).status_code == 201


def tokens(servers: Servers) -> dict[str, tuple[str, str]]:
    caller = auth.Caller("ac-test", "example-office", Role.AGENCY)
    other = auth.load_key((servers.home.secrets / "gateway.key.json").read_text())
    return {
        "expired": (g.token(servers, Role.AGENCY, seconds=-60), "token_expired"),
        "foreign key": (auth.mint(other, caller, iss=auth.ISSUER, aud=auth.GATEWAY, seconds=600), "token_invalid"),
        "no token": ("nonsense", "token_invalid"),
    }


@pytest.mark.parametrize("which", ["expired", "foreign key", "no token"])
@pytest.mark.parametrize("service", SERVICES)
async def test_a_foreign_or_expired_token_opens_nothing(world: World, service: str, which: str) -> None:
    bearer, code = tokens(world.servers)[which]
    answer = await world.send(service, register(), bearer)
    assert (answer.status_code, answer.headers["www-authenticate"]) == (401, "Bearer")
    assert answer.headers["content-type"] == "application/problem+json"
    checked(answer.json(), code, None)


async def test_a_bulk_of_ten_thousand_lines_with_every_third_wrong(world: World) -> None:
    """Each kind of wrong line in turn; the others are recorded, and every line is answered in its place."""
    wrong = [bad for bad in BAD if isinstance(bad.wish, dict) and bad.service == "registry"]
    asked = [wrong[n // 3 % len(wrong)] if n % 3 == 0 else None for n in range(1, 10_001)]
    wishes = [bad.wish if bad and isinstance(bad.wish, dict) else register() for bad in asked]
    async with world.client() as client:
        answer = await client.post("/v1/registry/commands/bulk", content=ndjson(wishes), timeout=120)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/x-ndjson")
    lines = [json.loads(line) for line in answer.text.splitlines()]
    assert [line["line"] for line in lines] == list(range(1, 10_001))
    for line, bad, wish in zip(lines, asked, wishes, strict=True):
        if bad:
            checked(line["problem"], bad.code, bad.field)
            assert line["status"] == line["problem"]["status"]
        else:
            assert (line["status"], line["receipt"]["command"]) == (201, wish["id"])
