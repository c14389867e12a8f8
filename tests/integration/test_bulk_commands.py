"""Many commands in one request, to the registry's app on a real PostgreSQL."""

import asyncio
import json
from types import SimpleNamespace

from shared.commands import desk
from shared.commands.reading import Reader
from shared.runtime import ids
from tests.support.commands import ndjson, register


async def test_too_many_lines(registry):
    answer = await registry.post("/commands/bulk", content=b"\n" * 100_001)
    assert (answer.status_code, answer.json()["code"]) == (413, "too_many_lines")


async def test_a_long_bulk_with_every_third_line_wrong(registry, store):
    before = await store.fetchval("SELECT count(*) FROM event")
    wishes = [register(members=[{"relation": "head"}]) for _ in range(10_000)]
    for wish in wishes[::3]:
        wish["data"]["village"] = "somewhere"
    answer = await registry.post("/commands/bulk", content=ndjson(wishes))
    lines = [json.loads(line) for line in answer.text.splitlines()]
    assert [line["line"] for line in lines] == list(range(1, 10_001))
    assert [line["status"] for line in lines] == [422 if i % 3 == 0 else 201 for i in range(10_000)]
    assert {line["problem"]["field"] for line in lines[::3]} == {"data.village"}
    assert [line["receipt"]["command"] for line in lines if "receipt" in line] == [
        wish["id"] for i, wish in enumerate(wishes) if i % 3
    ]
    assert await store.fetchval("SELECT count(*) FROM event") - before == 6_666
    again = await registry.post("/commands/bulk", content=ndjson(wishes))
    repeated = [json.loads(line) for line in again.text.splitlines()]
    assert all(line["repeated"] for line in repeated if "receipt" in line)
    assert [line.get("receipt") for line in repeated] == [line.get("receipt") for line in lines]
    assert await store.fetchval("SELECT count(*) FROM event") - before == 6_666


async def test_a_bulk_answers_each_line_whatever_stands_in_it(registry):
    deep = b'{"type":"RegisterHousehold.v1","id":"d","data":' + b"[" * 700 + b"%s" + b"]" * 700 + b"}"
    sent = {
        b"{": "json_malformed",
        json.dumps(register()).encode(): None,
        b"\xff": "json_malformed",
        b'"' + b"x" * 300_000 + b'"': "body_too_large",
        b'{"a":"\0"}': "nul_byte",
        deep % b'"\\u0000"': "nul_byte",
        deep % b"1": "json_malformed",
        json.dumps(register()).encode(): None,
    }
    answer = await registry.post("/commands/bulk", content=b"\n".join(sent))
    codes = [json.loads(line).get("problem", {}).get("code") for line in answer.text.splitlines()]
    assert codes == list(sent.values())


async def test_a_line_that_breaks_the_reader_breaks_no_other(registry, monkeypatch):
    read = Reader.read

    def broken(reader, body, caller):
        return read(reader, body, caller) if b"broken" not in body else 1 / 0

    monkeypatch.setattr(Reader, "read", broken)
    answer = await registry.post("/commands/bulk", content=ndjson([register(), {"broken": 1}, register()]))
    assert [json.loads(line)["status"] for line in answer.text.splitlines()] == [201, 500, 201]


async def test_what_windows_adds_is_passed_over(registry):
    """A byte order mark, carriage returns and blank lines; a line keeps its number in the file."""
    lines = [json.dumps(register()).encode() for _ in range(2)]
    body = b"\xef\xbb\xbf" + lines[0] + b"\r\n\r\n" + lines[1] + b"\r\n\r\n"
    answer = await registry.post("/commands/bulk", content=body)
    told = [json.loads(line) for line in answer.text.splitlines()]
    assert [(line["line"], line["status"]) for line in told] == [(1, 201), (3, 201)]


async def test_a_bulk_waits_once_for_what_is_not_known(registry, monkeypatch):
    pauses = []

    async def no_pause(seconds):
        pauses.append(seconds)

    monkeypatch.setattr(desk, "asyncio", SimpleNamespace(**{**vars(asyncio), "sleep": no_pause}))
    unknown = {"household": ids.new_id("hh"), "occurred_on": "2019-02-01", "household_class": "welfare"}
    wishes = [{"type": "ClassifyHousehold.v1", "id": ids.new_id("rc"), "data": unknown} for _ in range(1_100)]
    answer = await registry.post("/commands/bulk", content=ndjson(wishes))
    assert {json.loads(line)["problem"]["code"] for line in answer.text.splitlines()} == {"household_unknown"}
    assert pauses == list(desk.PATIENCE)


async def test_one_bulk_may_build_on_its_own_lines(registry, store):
    household = ids.new_id("hh")
    classify = {"household": household, "occurred_on": "2019-02-01", "household_class": "developable"}
    body = ndjson([register(household=household), {"type": "ClassifyHousehold.v1", "id": household, "data": classify}])
    answer = await registry.post("/commands/bulk", content=body)
    assert [json.loads(line)["status"] for line in answer.text.splitlines()] == [201, 201]
    count = "SELECT count(*) FROM event WHERE stream = $1"
    assert await store.fetchval(count, f"household-{household}") == 2
