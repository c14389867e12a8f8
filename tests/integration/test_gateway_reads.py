"""Questions, answered from the tables that the projections keep (filled by hand here)."""

import json
from datetime import UTC, date, datetime
from uuid import uuid4

import pytest

from services.projections.coverage import NUMBERS
from shared.runtime.auth import Role
from tests.support import gateway as g

HH, OTHER, HP = "hh_" + "1" * 20, "hh_" + "2" * 20, "hp_" + "1" * 20
VILLAGE = "40190101"


def ledger(key: str, **row):
    """A ledger row, with its common columns."""
    usual = {"recorded_at": datetime.now(UTC), "stream": f"case-{key}", "version": 1, "event_id": uuid4()}
    return usual | {"key": key, "partition": 0, "valid_on": date(2019, 10, 1)} | row


async def published(tables) -> None:
    """Education as document A has it, over two partitions and two districts."""
    for measure, here, there in (("need", 200, 167), ("reached", 166, 100), ("unreached", 34, 67), ("resolved", 10, 0)):
        await tables.counted(0, village=VILLAGE, dimension="education", measure=measure, n=here)
        await tables.counted(5, village="40010203", dimension="education", measure=measure, n=there)


async def test_a_figure_says_what_it_counts_as_of_when_and_how_fresh_it_is(tables, client):
    await published(tables)
    told = (await client.get("/v1/coverage")).json()
    [figure] = told["figures"]
    assert (figure["numerator"], figure["denominator"]) == (266, 367)
    assert figure["percent"] == {"half_up": "72.48", "truncated": "72.47"}
    assert (figure["open"], figure["resolved"], figure["outside_need"]) == (101, 10, 0)
    assert figure["place_name"] == {"th": "ขอนแก่น", "en": "Khon Kaen"}
    for definition in (figure["numerator_definition"], figure["denominator_definition"]):
        assert set(definition) == {"id", "th", "en"}
    assert told["position"] == {"registry": 10, "pairing": 5, "interventions": 7}
    assert (told["level"], told["definition"]) == ("province", "coverage-1")
    assert told["newest_fact"] < told["watermark"]
    assert (told["provisional"], told["stale"]) == (False, False)
    assert told["as_of"]["known_at"] == told["newest_fact"]


@pytest.mark.parametrize(
    ("level", "place", "expected"),
    [
        ("district", "40", {"4001": 100, "4019": 166}),
        ("district", "4019", {"4019": 166}),
        ("subdistrict", "40", {"400102": 100, "401901": 166}),
        ("village", "40", {"40010203": 100, VILLAGE: 166}),
        ("village", "400102", {"40010203": 100}),
        ("province", "30", {}),
    ],
)
async def test_levels_and_places(tables, client, level, place, expected):
    await published(tables)
    told = (await client.get("/v1/coverage", params={"level": level, "place": place})).json()
    assert {f["place"]: f["numerator"] for f in told["figures"]} == expected


async def test_cohort_class_dimension_and_rounding_narrow_what_is_told(tables, client):
    await published(tables)
    await tables.counted(1, village=VILLAGE, dimension="education", measure="need", cohort="")
    await tables.counted(1, village=VILLAGE, dimension="health", measure="need", household_class="welfare")

    async def asked(**params):
        return {
            f["dimension"]: f["denominator"]
            for f in (await client.get("/v1/coverage", params=params)).json()["figures"]
        }

    assert await asked() == {"education": 368, "health": 1}
    assert await asked(cohort="bmn-2561") == {"education": 367, "health": 1}
    assert await asked(**{"class": "welfare"}) == {"health": 1}
    assert await asked(dimension="education", cohort="bmn-2561") == {"education": 367}
    rounded = (await client.get("/v1/coverage", params={"rounding": "truncated", "cohort": "bmn-2561"})).json()
    assert rounded["figures"][0]["percent"] == {"half_up": None, "truncated": "72.47"}


async def test_help_outside_a_need_stands_beside_and_has_no_percentage(tables, client):
    await tables.counted(village=VILLAGE, dimension="welfare", measure="outside_need", n=3)
    [figure] = (await client.get("/v1/coverage")).json()["figures"]
    assert (figure["numerator"], figure["denominator"], figure["outside_need"], figure["percent"]) == (0, 0, 3, None)


@pytest.mark.parametrize(
    ("params", "field", "code"),
    [
        ({"dimensoin": "health"}, "dimensoin", "field_unknown"),
        ({"dimension": "wealth"}, "dimension", "field_invalid"),
        ({"level": "region"}, "level", "field_invalid"),
        ({"place": "99"}, "place", "place_unknown"),
        ({"place": "4%"}, "place", "place_unknown"),
        ({"place": ""}, "place", "place_unknown"),
        ({"place": "๔๐"}, "place", "place_unknown"),
        ({"place": "4019"}, "place", "field_invalid"),
        ({"level": "subdistrict", "place": VILLAGE}, "place", "field_invalid"),
    ],
)
async def test_a_question_that_cannot_be_meant_is_refused(tables, client, params, field, code):
    answer = await client.get("/v1/coverage", params=params)
    told = answer.json()
    assert (answer.status_code, told["code"], told["field"]) == (422, code, field)


async def test_a_village_is_suppressed_for_whoever_has_no_access_to_cases(servers, stage, tables):
    """Also where it is asked for as a subdistrict."""
    await published(tables)
    async with g.client(stage[1], g.token(servers, Role.RESEARCHER)) as client:
        assert (await client.get("/v1/coverage?level=subdistrict")).status_code == 200
        for sly in ("level=village", f"level=village&place={VILLAGE}", f"level=subdistrict&place={VILLAGE}"):
            answer = await client.get(f"/v1/coverage?{sly}")
            assert answer.status_code in (403, 422)
            assert "figures" not in answer.json()
        assert (await client.get(f"/v1/working-groups/workload?place={VILLAGE}")).status_code == 422


async def test_pairing_of_a_district_as_document_b_has_it(tables, client):
    for n in range(39):
        helper = f"hp_{n:020}"
        await tables.add(
            "helpers_rollup", partition=n % 24, helper=helper, district="4019", kind="officer", office="x", n=1
        )
        await tables.add(
            "caseload_rollup", partition=0, helper=helper, role="lead", district="4019", n=1 if n < 6 else 2
        )
        await tables.add("caseload_rollup", partition=1, helper=helper, role="supporting", district="4019", n=5)
    house = {"partition": 0, "cohort": "bmn-2561", "household_class": ""}
    await tables.add("households_rollup", village=VILLAGE, lead="paired", n=72, **house)
    await tables.add("households_rollup", village="40010101", lead="unpaired", n=4, **house)
    await tables.add("helpers_rollup", partition=0, helper=HP, district="4007", kind="officer", office="x", n=1)
    await tables.add(
        "helpers_rollup", partition=0, helper=HP[:-1] + "2", district="4007", kind="group", office="x", n=1
    )
    told = (await client.get("/v1/pairing")).json()
    by_place = {one.pop("place"): one for one in told["districts"]}
    assert len(by_place) == 26
    names = ("helpers", "households", "holding_two", "holding_one", "holding_none", "capacity", "spare", "unpaired")
    assert [by_place["4019"][name] for name in names] == [39, 72, 33, 6, 0, 78, 6, 0]
    assert [by_place["4007"][name] for name in names] == [1, 0, 0, 0, 1, 2, 2, 0]
    assert [by_place["4001"][name] for name in names] == [0, 4, 0, 0, 0, 0, 0, 4]
    assert (told["province"]["spare"], told["province"]["unpaired"]) == (8, 4), "neither hides the other"
    assert (told["level"], set(told["definitions"])) == ("district", {*names, "exited", "stale_pairs"})
    assert told["definitions"]["unpaired"]["of"] == "households"
    assert {"position", "newest_fact", "watermark", "as_of"} <= set(told)


async def test_workload_by_sub_group_and_what_nobody_owns(tables, client):
    names = ("open", "unresolved", "done")
    await published(tables)
    for measure, n in (("need", 20), ("reached", 20), ("resolved", 4)):
        await tables.counted(village=VILLAGE, dimension="health", measure=measure, n=n)
    told = (await client.get("/v1/working-groups/workload")).json()
    groups = told["groups"]
    assert len(groups) == 7
    assert (told["place"], told["level"], set(told["definitions"])) == ("40", "province", {"need", *names})
    assert {"position", "newest_fact", "watermark", "as_of"} <= set(told)
    by_group = {one["group"]: one for one in groups}
    life, nobody = by_group["quality-of-life"], by_group[None]
    assert [life[name] for name in names] == [0, 16, 4], "initial care empties nobody's desk"
    assert [nobody[name] for name in names] == [101, 357, 10]
    assert (life["need"], nobody["need"]) == (20, 367)
    assert [one["dimension"] for one in nobody["dimensions"]] == ["education", "living"]
    assert by_group["marketing"]["dimensions"] == []
    there = (await client.get("/v1/working-groups/workload?place=4019")).json()
    assert (there["level"], there["groups"][-1]["open"]) == ("district", 34)


async def household(tables) -> None:
    await tables.add("stream_head", stream=f"household-{HH}", key=HH, partition=0, version=2, hash="", state="ok")
    where = {"village": VILLAGE, "cohort": "bmn-2561", "lead": "paired"}
    await tables.add("households_ledger", **ledger(HH, delta=1, household_class="", **where))
    await tables.add("households_ledger", **ledger(HH, delta=-1, household_class="", **where))
    await tables.add("households_ledger", **ledger(HH, delta=1, household_class="welfare", **where))
    await tables.add("caseload_ledger", **ledger(HH, delta=1, helper=HP, role="lead", district="4019"))
    await tables.add("caseload_ledger", **ledger(OTHER, delta=1, helper=HP, role="lead", district="4019"))
    await tables.add("caseload_ledger", **ledger(OTHER, delta=-1, helper=HP, role="lead", district="4019"))
    moves = [NUMBERS["coverage-1", "health", measure] for measure in ("need", "unreached")]
    cell = {"village": VILLAGE, "cohort": "bmn-2561", "household_class": "welfare"}
    await tables.add("coverage_ledger", **ledger(HH, moves=moves, **cell))
    await tables.add("helpers_rollup", partition=0, helper=HP, district="4019", kind="officer", office="x", n=1)
    value = {"household": HH, "village": VILLAGE, "address_sealed": "c2VhbGVk", "members": [{"sealed": "bmFtZQ=="}]}
    fact = {"key": HH, "recorded_at": datetime.now(UTC), "stream": f"household-{HH}", "version": 1, "hash": ""}
    fact |= {"event_id": uuid4(), "type": "HouseholdRegistered.v1", "occurred_on": date(2019, 1, 15), "agency": "x"}
    fact |= {"topic": "t", "partition": 0, "offset": 0, "headers": b"", "value": json.dumps(value).encode()}
    await tables.add("fact", **fact)


async def test_a_households_card_shows_what_is_known_and_masks_what_is_sealed(tables, client):
    await household(tables)
    answer = await client.get(f"/v1/households/{HH}")
    card = answer.json()
    assert (card["village"], card["cohort"], card["class"]) == (VILLAGE, "bmn-2561", "welfare")
    assert card["place_name"]["th"].startswith("หมู่ที่ 1")
    [need] = card["needs"]
    assert (need["dimension"], need["in_need"], need["reached"]) == ("health", True, False)
    assert card["pairs"] == [{"helper": HP, "role": "lead"}]
    assert card["streams"] == {f"household-{HH}": 2}
    assert card["incomplete"] is False
    [entry] = card["history"]
    assert entry["data"]["village"] == VILLAGE
    assert entry["data"]["address_sealed"] == entry["data"]["members"][0]["sealed"] == "•••••"
    assert "c2VhbGVk" not in answer.text
    assert "bmFtZQ" not in answer.text


async def test_a_helpers_households_and_what_they_still_need(tables, client):
    await household(tables)
    told = (await client.get(f"/v1/helpers/{HP}/households")).json()
    assert (told["district"], told["kind"], told["office"]) == ("4019", "officer", "x")
    [one] = told["households"]
    assert (one["household"], one["role"], one["since"]) == (HH, "lead", "2019-10-01")
    assert [need["dimension"] for need in one["needs"]] == ["health"]


async def test_nobody_reads_a_case_outside_the_districts_of_the_token(servers, stage, tables):
    await household(tables)
    async with g.client(stage[1], g.token(servers, Role.OFFICER, districts=("4007",))) as client:
        for path in (f"/v1/households/{HH}", f"/v1/helpers/{HP}/households"):
            answer = await client.get(path)
            assert (answer.status_code, answer.json()["code"]) == (403, "outside_area")
    async with g.client(stage[1], g.token(servers, Role.OFFICER, districts=("4019",))) as client:
        assert (await client.get(f"/v1/households/{HH}")).status_code == 200


async def test_what_nobody_knows_is_not_found(tables, client):
    for path in (f"/v1/households/{HH}", f"/v1/helpers/{HP}/households"):
        assert (await client.get(path)).json()["code"] == "not_found"
    assert (await client.get("/v1/households/1")).status_code == 422
