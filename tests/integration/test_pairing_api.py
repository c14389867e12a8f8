"""Pairing and interventions on the real store: references, the last place of a helper, districts."""

import asyncio
import json

import asyncpg
import pytest

from shared.runtime import ids
from tests.support.commands import assign, command, enrol, helped, ndjson, serving, tell_of_household


async def officer(pairing, **data):
    return (await pairing.post("/commands", json=enrol(**data))).json()["subject"]


async def test_two_households_and_no_third(pairing, servers):
    helper = await officer(pairing)
    homes = [await tell_of_household(servers, "pairing") for _ in range(3)]
    answers = [await pairing.post("/commands", json=assign(home, helper)) for home in homes]
    assert [answer.status_code for answer in answers] == [201, 201, 409]
    refused = answers[2].json()
    assert (refused["code"], refused["field"], refused["capacity"]) == ("helper_full", "data.helper", 2)


@pytest.mark.parametrize("desks", [1, 2])
async def test_of_many_at_once_two_win_the_places(pairing, servers, desks):
    """Through one process, and through two with a desk each."""
    helper = await officer(pairing)
    homes = [await tell_of_household(servers, "pairing") for _ in range(10)]
    async with serving(servers, "pairing") as other:
        clients = [pairing, other][:desks]
        answers = await asyncio.gather(
            *(clients[i % desks].post("/commands", json=assign(home, helper)) for i, home in enumerate(homes))
        )
    assert sorted(answer.status_code for answer in answers) == [201, 201] + [409] * 8
    connection = await asyncpg.connect(servers.dsn("pairing"))
    try:
        assert await connection.fetchval("SELECT count(*) FROM lead WHERE helper = $1", helper) == 2
    finally:
        await connection.close()


async def test_a_place_is_free_again_from_the_day_on_which_a_pair_ends(pairing, servers):
    helper = await officer(pairing)
    first, second, third = [await tell_of_household(servers, "pairing") for _ in range(3)]
    for home in (first, second):
        await pairing.post("/commands", json=assign(home, helper))
    end = command("EndPair.v1", household=first, helper=helper, occurred_on="2020-01-01", reason="household-moved")
    assert (await pairing.post("/commands", json=end)).status_code == 201
    for day, status in (("2019-12-31", 409), ("2020-01-01", 201)):
        answer = await pairing.post("/commands", json=assign(third, helper, occurred_on=day))
        assert answer.status_code == status


async def test_another_district_needs_a_reason_and_an_order(pairing, servers):
    helper = await officer(pairing, district="4001")
    home = await tell_of_household(servers, "pairing", village="40190101")
    refused = (await pairing.post("/commands", json=assign(home, helper))).json()
    assert refused["code"] == "other_district_needs_reason_and_order"
    assert (refused["helper_district"], refused["household_district"]) == ("4001", "4019")
    told = assign(home, helper, reason="relative", order="12/2563")
    assert (await pairing.post("/commands", json=told)).status_code == 201


async def test_an_unknown_district(pairing):
    answer = await pairing.post("/commands", json=enrol(district="4099"))
    assert (answer.status_code, answer.json()["code"]) == (422, "place_unknown")


async def test_what_is_not_known_yet_is_waited_for_then_refused_as_retryable(pairing, servers):
    helper = await officer(pairing)
    refused = (await pairing.post("/commands", json=assign(ids.new_id("hh"), helper))).json()
    assert (refused["code"], refused["retryable"]) == ("household_unknown", True)
    refused = (
        await pairing.post("/commands", json=assign(await tell_of_household(servers, "pairing"), ids.new_id("hp")))
    ).json()
    assert (refused["code"], refused["retryable"]) == ("helper_unknown", True)


async def test_a_helper_and_the_pair_in_one_bulk(pairing, servers):
    helper, home = ids.new_id("hp"), await tell_of_household(servers, "pairing")
    answer = await pairing.post("/commands/bulk", content=ndjson([enrol(helper=helper), assign(home, helper)]))
    assert [json.loads(line)["status"] for line in answer.text.splitlines()] == [201, 201]


async def test_siao_after_what_has_not_arrived(interventions):
    household = ids.new_id("hh")
    answer = await interventions.post(
        "/commands", json=helped(household), headers={"Siao-After": f"household-{household}@1"}
    )
    assert (answer.status_code, answer.json()["code"]) == (503, "not_yet_visible")
    assert answer.headers["Retry-After"] == "1"
    answer = await interventions.post("/commands", json=helped(household), headers={"Siao-After": "nonsense"})
    assert (answer.status_code, answer.json()["field"]) == (422, "Siao-After")


async def test_help_is_recorded_once(interventions, servers):
    home, mine = await tell_of_household(servers, "interventions"), ids.new_id("iv")
    assert (await interventions.post("/commands", json=helped(home, intervention=mine))).status_code == 201
    again = await interventions.post("/commands", json=helped(home, intervention=mine))
    assert (again.status_code, again.json()["events"]) == (200, [])
    other = await interventions.post("/commands", json=helped(home, intervention=mine, level="resolved"))
    assert other.json()["code"] == "intervention_recorded_otherwise"


async def test_a_simulated_clock_is_refused_by_a_real_one(interventions, servers):
    home = await tell_of_household(servers, "interventions")
    headers = {"Siao-Simulated-Clock": "2019-10-03T09:00:00+07:00"}
    answer = await interventions.post("/commands", json=helped(home), headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (400, "clock_not_simulated")


async def test_a_household_that_is_merged_while_its_pair_waits_is_refused(pairing, servers):
    """As the follower does it: its lead ends and it is merged, in one transaction, for which the pair waits."""
    helper = await officer(pairing)
    home, into = [await tell_of_household(servers, "pairing") for _ in range(2)]
    await pairing.post("/commands", json=assign(home, helper))
    end = command("EndPair.v1", household=home, helper=helper, occurred_on="2020-01-01", reason="household-moved")
    await pairing.post("/commands", json=end)
    blocked = "SELECT count(*) FROM pg_stat_activity WHERE cardinality(pg_blocking_pids(pid)) > 0"
    connection = await asyncpg.connect(servers.dsn("pairing"))
    try:
        async with connection.transaction():
            await connection.execute("SELECT FROM head WHERE stream = $1 FOR UPDATE", f"pairing-{home}")
            merge = "UPDATE known_household SET merged_into = $2 WHERE household = $1"
            await connection.execute(merge, home, into)
            again = assign(home, helper, occurred_on="2020-02-01")
            asked = asyncio.create_task(pairing.post("/commands", json=again))
            async with asyncio.timeout(20):
                while not await connection.fetchval(blocked):
                    await asyncio.sleep(0.01)
        answer = await asked
    finally:
        await connection.close()
    assert (answer.status_code, answer.json()["code"]) == (409, "household_merged")
