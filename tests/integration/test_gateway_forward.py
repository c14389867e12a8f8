"""Commands through the gateway: a stand-in service that says what it got, then the real registry."""

import asyncio
import json
from collections.abc import AsyncIterator

import httpx
import pytest
import pytest_asyncio
from fastapi import FastAPI, Request, Response
from fastapi.responses import StreamingResponse

from shared.runtime import auth
from shared.runtime.auth import Role
from tests.support import gateway as g
from tests.support.commands import assign, ndjson, register
from tests.support.processes import Process, running
from tests.support.servers import free_port

HOUSEHOLD = "hh_" + "7" * 20
ODD_BYTES = b'{"receipt" :"rc_1",\n "a":  "\xe0\xb8\x81" }'


class Standin:
    """A service on a real socket that keeps what it was sent."""

    def __init__(self, servers) -> None:
        self.key = auth.load_key((servers.home.secrets / "registry" / "gateway.pub.json").read_text())
        self.seen: list[Request] = []
        self.bytes = 0
        self.first_byte = asyncio.Event()
        self.dies_after: int | None = None
        self.refuses = False
        self.app = FastAPI()
        self.app.post("/commands")(self.one)
        self.app.post("/commands/bulk")(self.many)

    def caller(self, service: str = "registry") -> auth.Caller:
        token = auth.bearer(self.seen[-1].headers["authorization"])
        return auth.Verifier(self.key, iss=auth.GATEWAY, aud=auth.service_audience(service)).caller(token)

    async def one(self, request: Request) -> Response:
        self.seen.append(request)
        self.bytes = len(await request.body())
        headers = {"Siao-Version": f"household-{HOUSEHOLD}@3", "Siao-Repeated": "true", "X-Inner": "secret"}
        return Response(ODD_BYTES, 299, headers, "application/json")

    async def many(self, request: Request) -> Response:
        self.seen.append(request)
        if self.refuses:
            return Response(ODD_BYTES, 422)
        self.bytes = 0
        async for chunk in request.stream():
            self.bytes += len(chunk)
            self.first_byte.set()
        return StreamingResponse(self.lines(), media_type="application/x-ndjson")

    async def lines(self) -> AsyncIterator[bytes]:
        for number in range(1, 1001):
            if number == self.dies_after:
                yield b'{"line":%d,"sta' % number
                raise RuntimeError("the service dies")
            yield b'{"line":%d,"status":201}\n' % number


@pytest_asyncio.fixture(scope="module")
async def stage(servers):
    """(stand-in, the gateway's URL, the projections' tables)"""
    standin = Standin(servers)
    async with g.tables(servers) as (tables, dsn), g.listening(standin.app) as service:
        urls = {"registry": service, "pairing": service, "interventions": f"http://127.0.0.1:{free_port()}"}
        async with g.gateway(servers, dsn, urls) as url:
            yield standin, url, tables


@pytest_asyncio.fixture
async def client(servers, stage):
    standin, url, _ = stage
    standin.dies_after, standin.refuses = None, False
    standin.first_byte.clear()
    async with g.client(url, g.token(servers, Role.AGENCY)) as client:
        yield client


async def test_the_answer_comes_back_byte_for_byte(client, stage):
    answer = await client.post("/v1/registry/commands", json=register())
    assert (answer.status_code, answer.content) == (299, ODD_BYTES)
    assert answer.headers["siao-version"] == f"household-{HOUSEHOLD}@3"
    assert answer.headers["siao-repeated"] == "true"
    assert answer.headers["content-type"] == "application/json"
    assert "x-inner" not in answer.headers


async def test_the_service_gets_a_short_token_for_itself_and_not_the_callers(client, stage):
    standin, _, _ = stage
    await client.post("/v1/registry/commands", json=register())
    assert standin.seen[-1].headers["authorization"] != client.headers["authorization"]
    assert standin.caller() == auth.Caller("ac-test", "example-office", Role.AGENCY)
    with pytest.raises(auth.Rejected, match="token_invalid"):
        standin.caller("pairing")


async def test_only_the_headers_that_a_service_needs_go_on(client, stage):
    standin, _, _ = stage
    trace = "00-" + "a" * 32 + "-" + "b" * 16 + "-01"
    sent = {"Siao-Simulated-Clock": "2019-10-03T09:00:00+07:00", "Siao-After": "x@1", "traceparent": trace}
    answer = await client.post("/v1/registry/commands", json=register(), headers=sent | {"Cookie": "a=b", "X-Own": "1"})
    got = standin.seen[-1].headers
    assert got["siao-simulated-clock"] == sent["Siao-Simulated-Clock"]
    assert got["siao-after"] == "x@1"
    assert got["traceparent"].split("-")[1] == "a" * 32 == answer.headers["x-trace-id"]
    assert not {"cookie", "x-own"} & set(got)


async def test_a_trace_is_begun_where_there_is_none(client, stage):
    standin, _, _ = stage
    answer = await client.post("/v1/registry/commands", json=register())
    assert standin.seen[-1].headers["traceparent"].split("-")[1] == answer.headers["x-trace-id"]


async def test_a_bulk_is_not_gathered_in_the_gateway(client, stage):
    """The service has the first line while the caller still holds the last."""
    standin, _, _ = stage
    may_end = asyncio.Event()

    async def lines() -> AsyncIterator[bytes]:
        yield b"1" * 100_000 + b"\n"
        await may_end.wait()
        yield b"2\n"

    asked = asyncio.create_task(client.post("/v1/registry/commands/bulk", content=lines()))
    await asyncio.wait_for(standin.first_byte.wait(), 10)
    may_end.set()
    answer = await asked
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/x-ndjson"
    assert standin.bytes == 100_003
    assert [json.loads(line)["line"] for line in answer.text.splitlines()] == list(range(1, 1001))


async def test_a_service_that_dies_leaves_a_line_that_says_so(client, stage):
    standin, _, _ = stage
    standin.dies_after = 400
    answer = await client.post("/v1/registry/commands/bulk", content=b"1\n")
    *lines, last = map(json.loads, answer.text.splitlines())
    assert [line["line"] for line in lines] == list(range(1, 400))
    assert (last["line"], last["status"], last["problem"]["code"]) == (400, 503, "answer_lost")
    assert last["problem"]["retryable"] is True


async def test_what_a_service_refuses_before_it_has_all_comes_back(client, stage):
    standin, _, _ = stage
    standin.refuses = True

    async def lines() -> AsyncIterator[bytes]:
        for _ in range(100):
            yield b" " * 65_536

    answer = await client.post("/v1/registry/commands/bulk", content=lines())
    assert (answer.status_code, answer.content) == (422, ODD_BYTES)


@pytest.mark.parametrize("path", ["/v1/interventions/commands", "/v1/interventions/commands/bulk"])
async def test_a_service_that_is_down_is_told_as_such(client, path):
    answer = await client.post(path, json=register())
    assert (answer.status_code, answer.json()["code"]) == (503, "unavailable")
    assert answer.headers["retry-after"] == "1"


@pytest.mark.parametrize(("path", "limit"), [("", 256 * 1024), ("/bulk", 64 * 1024 * 1024)])
async def test_a_body_over_the_limit_is_refused_by_what_it_announces(stage, servers, path, limit):
    """Nothing of it needs to be sent."""
    _, url, _ = stage
    reader, writer = await asyncio.open_connection("127.0.0.1", httpx.URL(url).port)
    head = f"POST /v1/registry/commands{path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {g.token(servers)}\r\n"
    writer.write(f"{head}Content-Length: {limit + 1}\r\n\r\n".encode())
    answer = await asyncio.wait_for(reader.readuntil(b"\r\n"), 5)
    writer.close()
    assert b" 413 " in answer


@pytest.mark.parametrize(("path", "size"), [("", 300 * 1024), ("/bulk", 65 * 1024 * 1024)])
async def test_a_body_over_the_limit_is_cut_off_where_nothing_was_announced(client, stage, path, size):
    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(size // 65_536 + 1):
            yield b" " * 65_536

    answer = await client.post(f"/v1/registry/commands{path}", content=chunks())
    assert (answer.status_code, answer.json()["code"]) == (413, "body_too_large")


async def test_a_token_for_a_district_is_held_to_it_wherever_the_command_points(stage, servers):
    _, url, tables = stage
    await tables.clear()
    row = dict.fromkeys(("stream", "household_class", "cohort"), "") | {"version": 1, "partition": 0, "delta": 1}
    here = await tables.connection.fetchrow("SELECT now() AS at, gen_random_uuid() AS id, current_date AS day")
    row |= {"recorded_at": here["at"], "event_id": here["id"], "valid_on": here["day"], "lead": "unpaired"}
    await tables.add("households_ledger", key=HOUSEHOLD, village="40010101", **row)
    async with g.client(url, g.token(servers, Role.AGENCY, districts=("4019",))) as client:

        async def code(service: str, type_name: str | None = None, **data: object) -> object:
            types = {"registry": "RegisterHousehold.v1", "pairing": "AssignPair.v1"}
            sent = json.dumps({"type": type_name or types[service], "id": "1", "data": data})
            answer = await client.post(f"/v1/{service}/commands", content=sent)
            return 299 if answer.status_code == 299 else answer.json()["code"]

        assert await code("registry", village="40190101") == 299
        assert await code("registry", village="40010101") == "outside_area"
        assert await code("pairing", household=HOUSEHOLD) == "outside_area"
        assert await code("pairing", household="hh_" + "8" * 20) == "unavailable", "it may be in what is not folded yet"
        await tables.mark()
        assert await code("pairing", household="hh_" + "8" * 20) == "household_unknown"
        assert await code("pairing") == "household_unknown"
        moves = "RelocateHousehold.v1", "RecodeHousehold.v1"
        for moving in (*moves, "CorrectHousehold.v1", "CorrectRelocation.v1", "CorrectRecoding.v1"):
            assert await code("registry", moving, household=HOUSEHOLD, village="40190101") == "outside_area"
        assert await code("registry", "MergeHousehold.v1", household=HOUSEHOLD, into=HOUSEHOLD) == "outside_area"
        assert await code("registry", "UnmergeHousehold.v1", household="x", out_of=HOUSEHOLD) == "outside_area"
        assert await code("pairing", "CorrectHelper.v1", helper="x", district="4019") == 299
        for odd in ("hh_\0", "\ud83d", "hh_" + "\udc00" * 20, "", HOUSEHOLD + "\n", 7, [HOUSEHOLD], {"a": 1}):
            assert await code("pairing", household=odd) == "field_invalid", ascii(odd)
        answer = await client.post(
            "/v1/pairing/commands", json=assign(HOUSEHOLD, "x"), headers={"Siao-After": "x@9999999999"}
        )
        assert answer.json()["field"] == "Siao-After"
        answer = await client.post("/v1/registry/commands/bulk", content=b"{}\n")
        assert answer.json()["code"] == "outside_area"


# -- with the real registry ----------------------------------------------------------------------------------------


@pytest_asyncio.fixture(scope="module")
async def real(servers):
    settings = servers.settings("registry", http_port=free_port())
    service = Process("registry", "api", settings, servers.home.log("registry-behind-gateway"))
    async with (
        running(service),
        g.tables(servers) as (_, dsn),
        g.gateway(servers, dsn, {"registry": service.url}) as url,
        g.client(url, g.token(servers, Role.AGENCY)) as client,
    ):
        yield client


async def test_a_household_registered_twice_has_one_receipt(real):
    wish = register()
    first, again = [await real.post("/v1/registry/commands", json=wish) for _ in range(2)]
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.content == again.content
    assert again.headers["siao-repeated"] == "true"
    assert first.headers["siao-version"] == again.headers["siao-version"]


@pytest.mark.parametrize(
    ("sent", "status", "code"),
    [
        (b"{", 400, "json_malformed"),
        (b'{"a": "\0"}', 400, "nul_byte"),
        (b"[]", 400, "json_not_object"),
        (json.dumps(register() | {"type": "RegisterHousehold.v9"}).encode(), 422, "command_unknown"),
        (json.dumps(register(nickname="x")).encode(), 422, "field_unknown"),
        (json.dumps(register(occurred_on="2562-09-20")).encode(), 422, "buddhist_year"),
        (json.dumps(register(occurred_on="2300-01-01")).encode(), 422, "date_in_future"),
        (json.dumps(register(village="40990101")).encode(), 422, "place_unknown"),
    ],
)
async def test_what_is_wrong_comes_back_as_a_problem_in_both_languages(real, sent, status, code):
    answer = await real.post("/v1/registry/commands", content=sent)
    told = answer.json()
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert told["code"] == code
    assert told["title"].isascii()
    assert not told["title_th"].isascii()


async def test_a_bulk_with_every_third_line_wrong_has_a_line_for_each(real):
    wishes = [register(village="40990101") if n % 3 == 0 else register() for n in range(1, 1001)]
    answer = await real.post("/v1/registry/commands/bulk", content=ndjson(wishes))
    lines = [json.loads(line) for line in answer.text.splitlines()]
    assert [line["line"] for line in lines] == list(range(1, 1001))
    assert all(line["status"] == (422 if line["line"] % 3 == 0 else 201) for line in lines)
