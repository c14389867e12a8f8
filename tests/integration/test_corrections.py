"""Correcting and voiding on the real stores: who may, and what is free again afterwards."""

from typing import Any

import asyncpg
import httpx

from shared.runtime import ids
from shared.runtime.auth import Role
from tests.support.commands import (
    assign,
    command,
    enrol,
    gateway_token,
    helped,
    register,
    serving,
    tell_of_household,
    void,
)
from tests.support.servers import Servers

Wish = dict[str, Any]

LED = "(SELECT count(*) FROM lead WHERE lead.helper = helper.helper AND until IS NULL)"
"""How many households a helper leads."""


def bearer(servers: Servers, service: str, agency: str, role: Role = Role.AGENCY) -> dict[str, str]:
    return {"Authorization": f"Bearer {gateway_token(servers, service, agency=agency, role=role)}"}


async def code(client: httpx.AsyncClient, wish: Wish, headers: dict[str, str] | None = None) -> tuple[int, str | None]:
    answer = await client.post("/commands", json=wish, headers=headers)
    return answer.status_code, answer.json().get("code")


async def subject(client: httpx.AsyncClient, wish: Wish) -> str:
    answer = await client.post("/commands", json=wish)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["subject"])


async def test_another_agency_may_not_and_the_secretariat_may(servers: Servers, registry: httpx.AsyncClient) -> None:
    home = await subject(registry, register())
    wish = command("CorrectHousehold.v1", household=home, occurred_on="2019-01-15", village="40190105")
    for role in (Role.AGENCY, Role.OFFICER, Role.WORKING_GROUP):
        answer = await registry.post("/commands", json=wish, headers=bearer(servers, "registry", "red-cross", role))
        told = answer.json()
        assert (told["status"], told["code"], told["agency"]) == (403, "not_the_publisher", "example-office")
    secretariat = bearer(servers, "registry", "cdd", Role.SECRETARIAT)
    assert await code(registry, wish, secretariat) == (201, None)
    assert await code(registry, wish | {"id": ids.new_id("c")}) == (200, None), "it says so already"


async def test_only_the_secretariat_recodes_and_what_it_recoded_is_corrected_and_voided(
    servers: Servers, registry: httpx.AsyncClient
) -> None:
    home = await subject(registry, register(village="40190101"))
    own = {"household": home, "occurred_on": "2020-01-15"}
    wish = command("RecodeHousehold.v1", was="40190101", village="40190121", **own)
    assert await code(registry, wish) == (403, "secretariat_only")
    secretariat = bearer(servers, "registry", "cdd", Role.SECRETARIAT)
    for wrong, why in ({"was": "40190102"}, "lived_elsewhere"), ({"village": "40999901"}, "place_unknown"):
        other = command("RecodeHousehold.v1", **{**wish["data"], **wrong})
        assert (await code(registry, other, secretariat))[1] == why
    assert await code(registry, wish, secretariat) == (201, None)
    assert await code(registry, wish | {"id": ids.new_id("c")}, secretariat) == (200, None), "it says so already"
    right = command("CorrectRecoding.v1", corrects=2, village="40190122", **own)
    assert await code(registry, right) == (403, "not_the_publisher")
    assert await code(registry, right, secretariat) == (201, None)
    assert await code(registry, void(home, 2), secretariat) == (201, None)
    assert await code(registry, wish | {"id": ids.new_id("c")}, secretariat) == (201, None), "and so anew"


async def test_who_published_an_entry_is_known_after_a_restart(servers: Servers, registry: httpx.AsyncClient) -> None:
    home = await subject(registry, register())
    async with serving(servers, "registry") as anew:
        refused = await code(anew, void(home, 1), bearer(servers, "registry", "red-cross"))
        assert refused == (403, "not_the_publisher")
        assert await code(anew, void(home, 1)) == (201, None)


async def test_who_was_registered_in_a_voided_household_can_be_registered(registry: httpx.AsyncClient) -> None:
    members = [{"relation": "head", "citizen_id": "0456700000013"}]
    wrong = await subject(registry, register(members=members))
    assert (await code(registry, register(members=members)))[1] == "household_duplicate"
    assert await code(registry, void(wrong, 1)) == (201, None)
    right = await subject(registry, register(members=members))
    again = await registry.post("/commands", json=register(members=members))
    assert again.json()["household"] == right
    assert (await code(registry, void(wrong, 1)))[0] == 200
    assert (await registry.post("/commands", json=register(members=members))).json()["household"] == right


async def test_a_new_address_is_sealed(registry: httpx.AsyncClient, servers: Servers) -> None:
    home, secret = await subject(registry, register()), "บ้านใหม่ลับ 99/9"
    wish = command(
        "RelocateHousehold.v1", household=home, occurred_on="2020-01-15", village="40190202", house_number=secret
    )
    assert await code(registry, wish) == (201, None)
    connection = await asyncpg.connect(servers.dsn("registry"))
    try:
        value = await connection.fetchval(
            "SELECT value FROM event WHERE stream = $1 AND version = 2", f"household-{home}"
        )
        assert secret.encode() not in value
        assert b"address_sealed" in value
        assert await connection.fetchval("SELECT count(*) FROM person_key WHERE subject = $1", home) == 1
    finally:
        await connection.close()


async def test_a_voided_pair_frees_the_helpers_place_and_a_voided_end_takes_it(
    servers: Servers, pairing: httpx.AsyncClient
) -> None:
    helper = await subject(pairing, enrol(kind="person"))
    first, second = [await tell_of_household(servers, "pairing") for _ in range(2)]
    await subject(pairing, assign(first, helper))
    assert (await code(pairing, assign(second, helper)))[1] == "helper_full"
    end = {"household": first, "helper": helper, "occurred_on": "2020-01-01"}
    await subject(pairing, command("EndPair.v1", **end, reason="household-moved"))
    assert (await code(pairing, assign(second, helper)))[1] == "helper_full", "on the days before the end"
    await subject(pairing, assign(second, helper, occurred_on="2020-01-01"))
    void_end = command("VoidPairingEntry.v1", **end, voids=2, reason="never-happened")
    assert (await code(pairing, void_end))[1] == "helper_full"
    void_pair = command(
        "VoidPairingEntry.v1",
        household=second,
        helper=helper,
        occurred_on="2020-01-01",
        voids=1,
        reason="entered-twice",
    )
    assert await code(pairing, void_pair) == (201, None)
    assert await code(pairing, void_end) == (201, None)
    assert (await code(pairing, assign(second, helper)))[1] == "helper_full"
    assert await row(servers, helper, f"{LED}, pairs") == (1, 1)


async def test_a_helper_is_voided_only_without_pairs_and_then_pairs_no_more(
    servers: Servers, pairing: httpx.AsyncClient
) -> None:
    helper, home = await subject(pairing, enrol()), await tell_of_household(servers, "pairing")
    await subject(pairing, assign(home, helper, role="supporting"))
    gone = command("VoidHelper.v1", helper=helper, occurred_on="2020-01-01", reason="never-happened")
    assert (await code(pairing, gone))[1] == "helper_has_pairs"
    end = {"household": home, "helper": helper, "occurred_on": "2020-01-01"}
    await subject(pairing, command("EndPair.v1", **end, reason="household-asked"))
    assert await code(pairing, gone) == (201, None)
    assert (await code(pairing, assign(home, helper)))[1] == "helper_voided"


async def test_a_corrected_helper_is_another_at_the_next_pair(servers: Servers, pairing: httpx.AsyncClient) -> None:
    helper, home = await subject(pairing, enrol()), await tell_of_household(servers, "pairing")
    await subject(pairing, assign(home, helper))
    told = {"helper": helper, "district": "4001", "office": "example-office"}
    late = command("CorrectHelper.v1", **told, kind="officer", occurred_on="2019-10-02")
    assert (await code(pairing, late))[1] == "after_what_follows"
    right = command("CorrectHelper.v1", **told, kind="person", occurred_on="2019-09-01")
    assert await code(pairing, right) == (201, None)
    assert await row(servers, helper, f"kind, district, {LED}") == ("person", "4001", 1)
    other = await tell_of_household(servers, "pairing")
    assert (await code(pairing, assign(other, helper)))[1] == "helper_full"


async def test_help_entered_twice_is_voided(servers: Servers, interventions: httpx.AsyncClient) -> None:
    home, mine = await tell_of_household(servers, "interventions"), ids.new_id("iv")
    await subject(interventions, helped(home, intervention=mine))
    gone = command(
        "VoidIntervention.v1", household=home, intervention=mine, occurred_on="2020-01-01", reason="entered-twice"
    )
    assert (await code(interventions, gone, bearer(servers, "interventions", "red-cross")))[0] == 403
    assert await code(interventions, gone) == (201, None)
    assert await code(interventions, gone | {"id": ids.new_id("c")}) == (200, None)
    assert (await code(interventions, helped(home, intervention=mine)))[1] == "entry_voided"


async def test_a_household_exits_and_who_said_so_takes_it_back(
    servers: Servers, interventions: httpx.AsyncClient
) -> None:
    home, mine = await tell_of_household(servers, "interventions"), ids.new_id("ex")
    verified = {"community": "2020-01-02", "subdistrict": "2020-01-10", "district": "2020-01-31"}
    told = {"household": home, "reason": "lifted-out", "verified": verified}
    leave = command("ExitCase.v1", **told, exit=mine, occurred_on="2020-01-30")
    late = (await interventions.post("/commands", json=leave)).json()
    assert (late["status"], late["code"], late["field"]) == (422, "verified_too_late", "data.verified.district")
    assert "2020-01-30" in late["title"]
    assert "30 มกราคม 2563" in late["title_th"]
    leave["data"]["occurred_on"] = "2020-01-31"
    answer = await interventions.post("/commands", json=leave)
    assert [event["type"] for event in answer.json()["events"]] == ["CaseExited.v1"]
    unnamed = command("ExitCase.v1", **told, occurred_on="2020-01-31")
    assert (await code(interventions, unnamed))[1] == "exited_that_day"
    gone = command("VoidExit.v1", household=home, exit=mine, occurred_on="2020-02-03", reason="never-happened")
    assert (await code(interventions, gone, bearer(servers, "interventions", "red-cross")))[0] == 403
    assert await code(interventions, gone) == (201, None)
    assert await code(interventions, gone | {"id": ids.new_id("c")}) == (200, None)
    assert (await code(interventions, leave | {"id": ids.new_id("c")}))[1] == "entry_voided"
    assert await code(interventions, unnamed) == (201, None)


async def row(servers: Servers, helper: str, columns: str) -> tuple[Any, ...]:
    connection = await asyncpg.connect(servers.dsn("pairing"))
    try:
        return tuple(await connection.fetchrow(f"SELECT {columns} FROM helper WHERE helper = $1", helper))
    finally:
        await connection.close()
