"""What the gateway says of households that moved, left, merged, parted, or never were, folded from events."""

from datetime import timedelta

import pytest
import pytest_asyncio

from shared.events.codes import ExitReason
from shared.runtime.auth import Role
from tests.support import gateway as g
from tests.support import mended as m
from tests.support.log import (
    DAY,
    START,
    Log,
    Record,
    assessed,
    assigned,
    delivered,
    enrolled,
    helper,
    household,
    registered,
    sealed,
)
from tests.support.projections import feed

LATER, DAYS = DAY + timedelta(30), timedelta(10)
A, B, C = (household(n) for n in (1, 2, 3))
OFFICER, OTHER = helper(1), helper(2)
HERE, NEAR, FAR = "40190101", "40190202", "40010101"


@pytest_asyncio.fixture(scope="module")
async def stage(servers):
    async with g.tables(servers) as (tables, dsn), g.gateway(servers, dsn) as url:
        yield tables, url


@pytest_asyncio.fixture
async def ask(servers, stage):
    """Folds what is new in a log into tables that were empty, and asks; by whom may be told."""
    tables, url = stage
    await tables.clear()
    fed: list[Record] = []

    async def asked(log: Log, path: str, role: Role = Role.SECRETARIAT, **claims):
        await feed(tables.connection, log.records[len(fed) :])
        fed[:] = log.records
        async with g.client(url, g.token(servers, role, **claims)) as client:
            answer = await client.get(path)
            assert answer.status_code == 200, answer.text
            return answer.json()

    return asked


def two() -> Log:
    log = Log()
    log.add(f"helper-{OFFICER}", enrolled(OFFICER))
    for key, village in (A, HERE), (B, NEAR):
        log.add(f"household-{key}", registered(key, village))
    log.add(f"household-{A}", assessed(A, health=True))
    log.add(f"pairing-{A}", assigned(A, OFFICER))
    log.add(f"case-{B}", delivered(B, 1))
    return log


def both(log: Log, key: str, other: str, make=m.merged) -> None:
    for of, end in zip((key, other), make(key, other), strict=True):
        log.add(f"household-{of}", end)


async def test_a_merged_household_says_so_and_shows_the_one_it_is(ask):
    log = two()
    both(log, A, B)
    merged, survivor = await ask(log, f"/v1/households/{A}"), await ask(log, f"/v1/households/{B}")
    assert (merged["household"], merged["merged_into"], merged["absorbed"]) == (A, B, [])
    assert (survivor["merged_into"], survivor["absorbed"]) == (None, [A])
    for told in merged, survivor:
        assert told["village"] == NEAR
        assert {n["dimension"]: (n["in_need"], n["outside_need"]) for n in told["needs"]} == {
            "health": (True, False),
            "living": (False, True),
        }
        assert told["pairs"] == [{"helper": OFFICER, "role": "lead"}]
    assert {entry["stream"] for entry in merged["history"]} == {f"household-{A}", f"pairing-{A}"}
    assert set(merged["streams"]) == {f"household-{A}", f"pairing-{A}"}
    held = (await ask(log, f"/v1/helpers/{OFFICER}/households"))["households"]
    assert [(one["household"], one["district"]) for one in held] == [(B, "4019")]
    assert (await ask(log, "/v1/pairing"))["province"]["households"] == 1


async def test_of_a_chain_the_last_one_counts_until_they_part(ask):
    log = two()
    log.add(f"household-{C}", registered(C, FAR))
    both(log, A, B)
    both(log, B, C)
    assert (await ask(log, f"/v1/households/{A}"))["merged_into"] == C
    assert (await ask(log, f"/v1/households/{C}"))["absorbed"] == [A, B]
    both(log, B, C, m.unmerged)
    assert (await ask(log, f"/v1/households/{A}"))["merged_into"] == B
    told = await ask(log, f"/v1/households/{C}")
    assert (told["absorbed"], told["pairs"], told["village"]) == ([], [], FAR)


async def test_a_record_of_the_merged_one_that_waits_marks_the_other(ask):
    log = two()
    both(log, A, B)
    assert not (await ask(log, f"/v1/households/{B}"))["incomplete"]
    log.put(sealed(f"case-{A}", 2, "f" * 64, delivered(A, 2), START))
    assert (await ask(log, f"/v1/households/{B}"))["incomplete"]


async def test_a_household_that_never_was(ask):
    log = two()
    log.add(f"household-{A}", m.entry_voided(A, 1))
    told = await ask(log, f"/v1/households/{A}")
    assert told["voided"] == {"th": "บันทึกซ้ำ", "en": "Entered twice"}
    assert (told["village"], told["needs"], told["pairs"]) == (None, [], [])
    assert (await ask(log, f"/v1/households/{B}"))["voided"] is None


async def test_a_pair_left_behind_is_stale(ask):
    log = two()
    log.add(f"household-{A}", m.relocated(A, FAR))
    told = await ask(log, "/v1/pairing")
    [pair] = told["stale_pairs"]
    assert (pair["household"], pair["helper"], pair["role"]) == (A, OFFICER, "lead")
    assert (pair["helper_district"], pair["district"], pair["since"]) == ("4019", "4001", "2019-10-01")
    assert {one["place"]: one["stale_pairs"] for one in told["districts"] if one["stale_pairs"]} == {"4001": 1}
    assert told["province"]["stale_pairs"] == 1
    log.add(f"household-{A}", m.relocation_corrected(A, 3, NEAR))
    assert (await ask(log, "/v1/pairing"))["stale_pairs"] == []


async def test_a_place_that_got_another_code_is_no_move_and_explains_a_figure(ask):
    log = two()
    log.add(f"household-{A}", m.recoded(A, HERE, FAR, on=DAY + timedelta(1)))
    log.add(f"household-{B}", m.recoded(B, HERE, FAR, on=DAY + timedelta(1)))
    for place, level, change in ("4019", "district", -1), ("4001", "district", 1), (HERE, "village", -1):
        path = f"/v1/coverage/explain?level={level}&place={place}&dimension=health&from_valid_on={DAY}"
        told = await ask(log, f"{path}&from_known_at=2019-10-02T00:00:00Z&to_valid_on={DAY + timedelta(1)}")
        [cause] = told["causes"]
        assert (cause["cause"], cause["name"]["th"], cause["facts"]) == ("recoding", "รหัสพื้นที่เปลี่ยน", 1)
        assert cause["difference"]["denominator"] == told["difference"]["denominator"] == change
        assert [one["household"] for one in cause["moved"]] == [A], "the other one lived elsewhere"
    log.add(f"household-{A}", m.relocated(A, NEAR))
    assert (await ask(log, f"/v1/households/{A}"))["village"] == NEAR, "it had left, as is known now"


async def test_a_timeline_tells_a_move_from_a_place_that_got_another_code(ask):
    log = two()
    log.add(f"household-{A}", m.recoded(A, HERE, NEAR, on=DAY + timedelta(1)))
    log.add(f"household-{A}", m.relocated(A, FAR, on=DAY + timedelta(2)))
    days = (await ask(log, f"/v1/households/{A}/timeline"))["days"]
    homes = [(c["is"]["village"], c["began"], c["cause"]) for d in days for c in d["changes"] if c["what"] == "home"]
    recoded, moved = [(HERE, False, "recoding"), (NEAR, True, "recoding")], [(FAR, True, "move"), (NEAR, False, "move")]
    assert homes == [(HERE, True, "registration"), *recoded, *moved]
    assert {c["name"] and c["name"]["en"] for c in days[1]["changes"]} == {"Place recoded"}
    assert {c["cause"] for d in days for c in d["changes"] if c["what"] != "home"} == {None}


async def test_who_lives_in_a_village_and_who_did(ask):
    log, moved = two(), DAY + timedelta(1)
    log.add(f"household-{C}", registered(C, HERE))
    log.add(f"household-{A}", m.recoded(A, HERE, NEAR, on=moved))

    async def lived(query: str) -> list[str]:
        return (await ask(log, f"/v1/households?village={query}"))["households"]

    assert await lived(HERE) == await lived(f"{HERE}&valid_on={moved}") == [C]
    assert await lived(f"{HERE}&valid_on={DAY}") == [A, C]
    assert await lived(f"{HERE}&valid_on={DAY}&limit=1") == [A]
    assert await lived(f"{HERE}&valid_on={DAY}&after={A}") == [C]
    assert await lived(NEAR) == [A, B]
    assert await lived(FAR) == []


async def test_a_pair_is_stale_also_after_a_correction_or_a_merge(ask):
    log = two()
    log.add(f"household-{A}", m.registration_corrected(A, FAR))
    assert [p["household"] for p in (await ask(log, "/v1/pairing"))["stale_pairs"]] == [A]
    log.add(f"household-{A}", m.registration_corrected(A, HERE))
    log.add(f"household-{C}", registered(C, FAR))
    both(log, A, C)
    assert [p["household"] for p in (await ask(log, "/v1/pairing"))["stale_pairs"]] == [C]


async def test_who_was_paired_across_districts_from_the_beginning_is_not_stale(ask):
    log = two()
    log.add(f"helper-{OTHER}", enrolled(OTHER, "4001"))
    log.add(f"pairing-{B}", assigned(B, OTHER))
    assert (await ask(log, "/v1/pairing"))["stale_pairs"] == []


async def test_who_may_not_see_cases_sees_how_many_pairs_are_stale(ask):
    log = two()
    log.add(f"household-{A}", m.relocated(A, FAR))
    for claims in {"role": Role.RESEARCHER}, {"role": Role.OFFICER, "districts": ("4019",)}:
        told = await ask(log, "/v1/pairing", **claims)
        assert (told["stale_pairs"], told["province"]["stale_pairs"]) == ([], 1)


async def test_what_is_said_again_changes_nothing_as_of_a_moment_either(ask):
    log, as_of = two(), f"/v1/households/{A}?known_at=2019-10-02T00:00:00Z"
    for make, into in ((m.merged, B), (m.unmerged, None)):
        both(log, A, B, make)
        both(log, A, B, make)
        assert (await ask(log, as_of))["merged_into"] == (await ask(log, f"/v1/households/{A}"))["merged_into"] == into


@pytest.mark.parametrize(("reason", "lost"), [(ExitReason.LIFTED_OUT, 0), (ExitReason.MOVED_AWAY, -1)])
async def test_an_exit_is_a_cause_and_its_correction_another(ask, reason, lost):
    log = two()
    log.add(f"case-{A}", m.exited(A, 1, DAY, reason))
    path = "/v1/coverage/explain?level=district&place=4019&dimension=health&from_known_at=2019-10-01T00:00:00Z"
    told = await ask(log, path)
    causes = {cause["cause"]: cause["difference"] for cause in told["causes"]}
    assert causes.keys() == {"new_need", "exit"}
    assert (causes["exit"]["denominator"], causes["exit"]["open"]) == (lost, -1)
    assert causes["exit"]["resolved"] == 1 + lost
    [exit_] = [cause for cause in told["causes"] if cause["cause"] == "exit"]
    assert exit_["name"] == {"th": "ออกจากโครงการ", "en": "Exit from the programme"}
    assert [(fact["household"], fact["type"]) for fact in exit_["moved"]] == [(A, "CaseExited.v1")]
    log.add(f"case-{A}", m.exit_voided(A, 1))
    told = await ask(log, path)
    causes = {cause["cause"]: cause["difference"] for cause in told["causes"]}
    assert causes["correction"] == {name: -n for name, n in causes["exit"].items()}
    assert told["difference"] == causes["new_need"]


async def test_an_exit_is_shown_as_it_was_known_and_leaves_nobody_with_the_household(ask):
    log, path = two(), f"/v1/households/{A}"
    log.add(f"household-{B}", assessed(B, living=True))
    log.add(f"case-{A}", m.exited(A, 1, LATER, ExitReason.MOVED_AWAY))
    log.add(f"case-{A}", m.exit_corrected(A, 1, LATER + DAYS, ExitReason.DISSOLVED))
    dissolved = {"name": {"th": "ไม่มีผู้อยู่อาศัยแล้ว", "en": "Nobody lives there any more"}, "since": f"{LATER + DAYS}"}
    told = await ask(log, path)
    assert told["exited"] == {"reason": "dissolved", **dissolved}
    assert (told["village"], told["needs"], told["pairs"]) == (HERE, [], [])
    assert (await ask(log, f"/v1/helpers/{OFFICER}/households"))["households"] == []
    assert [
        one["household"] for one in (await ask(log, f"/v1/helpers/{OFFICER}/households?valid_on={LATER}"))["households"]
    ] == [A]
    pairing = (await ask(log, "/v1/pairing"))["province"]
    assert [pairing[name] for name in ("households", "unpaired", "exited", "holding_one")] == [1, 1, 1, 0]
    groups = (await ask(log, "/v1/working-groups/workload"))["groups"]
    assert sum(group["unresolved"] for group in groups) == 1, "what is left is of the other household"
    first = START + timedelta(seconds=len(log.records) - 2)
    then = await ask(log, f"{path}?known_at={first:%Y-%m-%dT%H:%M:%SZ}&valid_on={LATER}")
    assert (then["exited"]["reason"], then["exited"]["since"]) == ("moved-away", f"{LATER}")
    for before in (f"valid_on={LATER}", f"valid_on={LATER + DAYS - timedelta(1)}"):
        then = await ask(log, f"{path}?{before}")
        assert (then["exited"], len(then["pairs"])) == (None, 1)
    days = {day["on"]: day["changes"] for day in (await ask(log, f"{path}/timeline"))["days"]}
    left = [(change["is"], change["began"]) for change in days[f"{LATER + DAYS}"] if change["what"] == "exit"]
    assert left == [({"reason": "dissolved"}, True)]


async def test_who_is_back_or_whose_exit_was_voided_has_not_exited(ask):
    log, path = two(), f"/v1/households/{A}"
    log.add(f"case-{A}", m.exited(A, 1, LATER))
    log.add(f"household-{A}", assessed(A, LATER + DAYS, living=False))
    told = await ask(log, path)
    assert told["exited"]["since"] == f"{LATER}", "it still does well"
    assert {need["dimension"]: need["resolved"] for need in told["needs"]} == {"health": True}
    log.add(f"household-{A}", assessed(A, LATER + 2 * DAYS, living=True))
    told = await ask(log, path)
    assert (told["exited"], told["pairs"]) == (None, [{"helper": OFFICER, "role": "lead"}])
    left = [
        (day["on"], change["began"])
        for day in (await ask(log, f"{path}/timeline"))["days"]
        for change in day["changes"]
        if change["what"] == "exit"
    ]
    assert left == [(f"{LATER}", True), (f"{LATER + 2 * DAYS}", False)]
    log.add(f"case-{A}", m.exit_voided(A, 1))
    told = await ask(log, f"{path}?valid_on={LATER}")
    assert (told["exited"], [need["resolved"] for need in told["needs"]]) == (None, [False])


async def test_a_merged_household_has_exited_when_the_one_that_it_is_has(ask):
    log = two()
    both(log, A, B)
    log.add(f"case-{B}", m.exited(B, 1, LATER))
    for key in A, B:
        assert (await ask(log, f"/v1/households/{key}"))["exited"]["reason"] == "lifted-out"


async def test_the_page_says_how_many_have_exited(ask, stage, servers):
    log = two()
    for shown in (0, 1):
        await ask(log, "/v1/pairing")
        async with g.client(stage[1]) as client:
            await client.post("/session", data={"token": g.token(servers)})
            page = (await client.get("/")).text
        assert 'data-cell="unpaired"' in page
        assert ('<dd data-cell="exited">1</dd>' in page) == bool(shown)
        log.add(f"case-{A}", m.exited(A, 1, LATER))
