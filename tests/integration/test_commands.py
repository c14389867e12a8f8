"""A write service on a real PostgreSQL: what is accepted is stored once, what is refused leaves nothing."""

import asyncio
import json

import asyncpg
import httpx
import pytest
from starlette.applications import Starlette

from shared.commands.http import routes, simulated_time
from shared.commands.reading import MAX_COMMAND_BYTES, Reader
from shared.errors import Rejected
from shared.events import catalog, envelope
from shared.eventstore.sealing import Vault
from shared.runtime import auth, ids, problems
from shared.runtime.statement import Statement
from tests.support.commands import gateway_token, ndjson, register


async def stored(store, household):
    return await store.fetch("SELECT * FROM event WHERE stream = $1 ORDER BY version", f"household-{household}")


async def opened(store, servers, subject):
    look_up = Statement(store)
    Vault.look_up(look_up, [subject])
    return Vault.found(servers.settings("registry").key("kek"), await look_up.read())


async def test_an_accepted_command_is_stored_byte_for_byte(registry, store):
    answer = await registry.post("/commands", json=register(cohort="bmn-2561"))
    receipt = answer.json()
    assert (answer.status_code, receipt["outcome"]) == (201, "accepted")
    [row] = await stored(store, receipt["subject"])
    assert answer.headers["Siao-Version"] == f"household-{receipt['subject']}@1"
    told, _ = envelope.read([*envelope.split(row["headers"]), ("ce_hash", row["hash"])])
    assert (told.agency, told.version, told.clock) == ("example-office", 1, "real")
    assert envelope.chain_hash(row["headers"], row["value"]) == row["hash"]
    assert catalog.encode(catalog.decode(row["type"], row["value"])) == row["value"]
    assert await store.fetchval("SELECT true FROM outbox WHERE seq = $1", row["seq"])


async def test_the_chain_goes_on_through_a_stream(registry, store):
    household = (await registry.post("/commands", json=register())).json()["subject"]
    for day in ("2019-02-01", "2019-03-01"):
        data = {"household": household, "occurred_on": day, "household_class": "welfare"}
        await registry.post("/commands", json={"type": "ClassifyHousehold.v1", "id": day + household, "data": data})
    rows = await stored(store, household)
    assert [row["version"] for row in rows] == [1, 2, 3]
    linked = [dict(envelope.split(row["headers"]))["ce_prevhash"] for row in rows]
    assert linked == [envelope.GENESIS, rows[0]["hash"], rows[1]["hash"]]
    assert [row["recorded_at"] for row in rows] == sorted(row["recorded_at"] for row in rows)


async def test_a_repeated_command_gets_the_first_answer_byte_for_byte(registry, store):
    wish = register()
    first, again = await registry.post("/commands", json=wish), await registry.post("/commands", json=wish)
    assert (again.status_code, again.content) == (200, first.content)
    assert again.headers["Siao-Repeated"] == "true"
    assert again.headers["Siao-Version"] == first.headers["Siao-Version"]
    assert len(await stored(store, first.json()["subject"])) == 1


async def test_repeated_in_one_batch_its_details_are_those_of_the_first(registry, store, servers):
    wish = register(house_number="99/9", members=[{"relation": "head", "citizen_id": "0999999999982"}])
    answers = (await registry.post("/commands/bulk", content=ndjson([wish, wish]))).text.splitlines()
    assert [json.loads(line)["repeated"] for line in answers] == [False, True]
    household = json.loads(answers[0])["receipt"]["subject"]
    [row] = await stored(store, household)
    vault = await opened(store, servers, household)
    assert vault.unseal(household, json.loads(row["value"])["address_sealed"]) == {"house_number": "99/9"}
    again = await registry.post("/commands", json=register(members=wish["data"]["members"]))
    assert again.json()["household"] == household


async def test_repeated_at_the_same_moment_it_is_stored_once(registry, store):
    wish = register()
    answers = await asyncio.gather(*(registry.post("/commands", json=wish) for _ in range(8)))
    assert {answer.content for answer in answers} == {answers[0].content}
    assert sorted(answer.status_code for answer in answers) == [200] * 7 + [201]


async def test_a_used_id_with_another_body_is_refused(registry):
    await registry.post("/commands", json=register("used-once"))
    answer = await registry.post("/commands", json=register("used-once", village="40190102"))
    assert (answer.status_code, answer.json()["code"], answer.json()["field"]) == (409, "command_id_reused", "id")


async def test_a_refused_id_may_come_again_corrected(registry):
    id_ = ids.new_id("c")
    refused = await registry.post("/commands", json=register(id_, village="99010101"))
    assert (refused.status_code, refused.json()["code"]) == (422, "place_unknown")
    assert (await registry.post("/commands", json=register(id_))).status_code == 201


async def test_a_household_twice(registry):
    mine = ids.new_id("hh")
    assert (await registry.post("/commands", json=register(household=mine))).status_code == 201
    same = await registry.post("/commands", json=register(household=mine))
    assert (same.status_code, same.json()["events"]) == (200, [])
    other = await registry.post("/commands", json=register(household=mine, village="40190105"))
    assert (other.status_code, other.json()["code"]) == (409, "household_registered_otherwise")


async def test_a_person_in_two_households_is_found_by_a_keyed_hash(registry, store):
    members = [{"relation": "head", "name": "สมมติ ทดสอบ", "citizen_id": "0-1234-56789-01-6"}]
    first = await registry.post("/commands", json=register(members=members))
    spelt_otherwise = [{"relation": "child", "citizen_id": "0123456789016"}]
    second = await registry.post("/commands", json=register(members=spelt_otherwise))
    assert (second.status_code, second.json()["code"]) == (409, "household_duplicate")
    assert second.json()["household"] == first.json()["subject"]
    twice = [{"relation": "head", "citizen_id": "0123456789997"}, {"relation": "child", "citizen_id": "0123456789997"}]
    assert (await registry.post("/commands", json=register(members=twice))).json()["code"] == "person_named_twice"
    both = [register(members=[{"relation": "head", "citizen_id": "0999999999991"}]) for _ in range(2)]
    answers = await asyncio.gather(*(registry.post("/commands", json=one) for one in both))
    assert sorted(answer.status_code for answer in answers) == [201, 409]


async def test_a_wrong_check_digit_is_flagged_not_refused(registry, store):
    members = [{"relation": "head", "citizen_id": "1101700230709"}]
    answer = await registry.post("/commands", json=register(members=members))
    assert (answer.status_code, answer.json()["flags"]) == (201, ["citizen_id_check_digit"])
    [row] = await stored(store, answer.json()["subject"])
    assert json.loads(row["value"])["members"][0]["citizen_id_check"] == "wrong"


async def test_personal_details_are_sealed_everywhere_and_open_with_the_key(registry, store, servers):
    secret = ["ชื่อลับสุดยอด", "0876543210", "บ้านเลขที่ลับ", "0555555555553"]
    name, phone, house, number = secret
    members = [{"relation": "head", "name": name, "phone": phone, "citizen_id": number}]
    answer = await registry.post("/commands", json=register(members=members, house_number=house))
    [row] = await stored(store, answer.json()["subject"])
    everything = [answer.text.encode(), row["headers"], row["value"]]
    for table in ("receipt", "citizen_hash", "person_key"):
        everything += [repr(tuple(r)).encode() for r in await store.fetch(f"SELECT * FROM {table}")]
    assert not [word for word in secret for place in everything if word.encode() in place]
    [member] = json.loads(row["value"])["members"]
    vault = await opened(store, servers, member["person"])
    assert vault.unseal(member["person"], member["sealed"]) == {"name": name, "phone": phone, "citizen_id": number}


@pytest.mark.parametrize(
    ("field", "wish"),
    [
        ("data.occurred_on", register(occurred_on="2300-01-01")),
        ("data.members.0.birth_on", register(members=[{"relation": "child", "birth_on": "2300-01-01"}])),
        ("reported_on", {**register(), "reported_on": "2300-01-01"}),
    ],
)
async def test_a_date_in_the_future(registry, field, wish):
    answer = (await registry.post("/commands", json=wish)).json()
    assert (answer["status"], answer["code"], answer["field"]) == (422, "date_in_future", field)


async def test_a_place_outside_the_province(registry):
    answer = await registry.post("/commands", json=register(village="10010101"))
    assert (answer.status_code, answer.json()["code"]) == (422, "place_outside_province")


async def test_an_unknown_household_is_retryable(registry):
    data = {"household": ids.new_id("hh"), "occurred_on": "2019-02-01", "household_class": "welfare"}
    answer = await registry.post(
        "/commands", json={"type": "ClassifyHousehold.v1", "id": ids.new_id("c"), "data": data}
    )
    assert (answer.status_code, answer.json()["code"], answer.json()["retryable"]) == (409, "household_unknown", True)
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize("path", ["/commands", "/commands/bulk"])
async def test_only_the_gateway_gets_in(registry, servers, path):
    issuer = auth.load_key((servers.home.secrets / "issuer.key.json").read_text())
    caller = auth.Caller("ac-test", "example-office", auth.Role.AGENCY)
    foreign = auth.mint(issuer, caller, iss=auth.GATEWAY, aud="siao-registry", seconds=60)
    tokens = {
        "token_missing": "",
        "token_expired": gateway_token(servers, "registry", seconds=-60),
        "token_invalid": foreign,
    }
    for code, token in tokens.items():
        answer = await registry.post(path, json=register(), headers={"Authorization": f"Bearer {token}"})
        assert (answer.status_code, answer.json()["code"]) == (401, code)
    other = await registry.post(
        path, json=register(), headers={"Authorization": f"Bearer {gateway_token(servers, 'pairing')}"}
    )
    assert other.json()["code"] == "token_invalid"


async def test_without_a_token_nothing_moves_a_simulated_clock(servers):
    headers = {"Siao-Simulated-Clock": "2020-01-01T00:00:00+07:00"}
    settings = servers.settings("pairing")
    reader, key = Reader(catalog.COMMANDS["pairing"], b"k" * 32), auth.load_key(settings.secret("gateway.pub.json"))
    asked = []

    async def before(request) -> None:
        asked.append(request.headers["siao-simulated-clock"])

    app = Starlette(routes=routes("pairing", reader, key, before))
    problems.install(app)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://service") as client:
        for path in ("/commands", "/commands/bulk"):
            assert (await client.post(path, headers=headers)).status_code == 401
    assert asked == []


@pytest.mark.parametrize("moment", ["2300-01-01T00:00:00Z", "9999-12-31T23:59:59-12:00", "2020-01-01T00:00:00", "soon"])
def test_a_simulated_clock_never_runs_ahead_of_the_real_one(moment):
    with pytest.raises(Rejected, match="clock_invalid"):
        simulated_time(moment)


async def test_a_body_over_the_limit(registry):
    answer = await registry.post("/commands", content=b" " * (MAX_COMMAND_BYTES + 1))
    assert (answer.status_code, answer.json()["limit"]) == (413, MAX_COMMAND_BYTES)


@pytest.mark.parametrize(
    "statement",
    ["UPDATE event SET type = 'x'", "DELETE FROM event", "TRUNCATE event", "DELETE FROM receipt", "DROP TABLE event"],
)
async def test_the_service_can_neither_change_nor_remove_an_event(store, statement):
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await store.execute(statement)


@pytest.mark.parametrize("statement", ["UPDATE event SET type = 'x'", "DELETE FROM event", "TRUNCATE event"])
async def test_not_even_the_owner_can(servers, statement):
    connection = await asyncpg.connect(servers.admin_dsn)
    try:
        await connection.execute("SET search_path = registry")
        with pytest.raises(asyncpg.PostgresError, match="never changed"):
            await connection.execute(statement)
    finally:
        await connection.close()


async def test_a_service_cannot_read_another_ones_schema(servers):
    connection = await asyncpg.connect(servers.dsn("interventions"))
    try:
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await connection.fetch("SELECT * FROM registry.event")
    finally:
        await connection.close()


async def test_a_long_stream_is_not_folded_again_for_each_command(registry, servers):
    household = (await registry.post("/commands", json=register())).json()["subject"]

    def classify(day: int) -> dict[str, object]:
        data = {"household": household, "occurred_on": f"2019-{day % 12 + 1:02d}-{day % 28 + 1:02d}"}
        return {
            "type": "ClassifyHousehold.v1",
            "id": f"{household}-{day}",
            "data": {**data, "household_class": "welfare"},
        }

    async def read() -> int:
        admin = await asyncpg.connect(servers.admin_dsn)
        try:
            await admin.execute("SELECT pg_stat_force_next_flush()")
            await asyncio.sleep(1.2)
            return int(
                await admin.fetchval(
                    "SELECT idx_tup_fetch + seq_tup_read FROM pg_stat_user_tables "
                    "WHERE schemaname = 'registry' AND relname = 'event'"
                )
            )
        finally:
            await admin.close()

    await registry.post("/commands/bulk", content=ndjson([classify(day) for day in range(80)]))
    before = await read()
    for day in range(80, 84):
        await registry.post("/commands", json=classify(day))
    assert await read() - before <= 4
