"""Publishing: each command once, in the clock's order, whatever the line to the gateway does meanwhile."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from rich.console import Console

from services.demo import publish
from services.demo.agencies import AGENCIES
from services.demo.client import Gateway, Stopped
from services.demo.entries import Entry
from services.demo.mistakes import everything
from services.demo.progress import Progress
from services.demo.province import make
from shared.events.catalog import SERVICES

PATIENCE = 5.0


@pytest.fixture(scope="module")
def sent() -> list[Entry]:
    every = everything(make())
    return [*every[::40], every[-1]]


@pytest.fixture
def tokens(tmp_path: Path) -> Path:
    for agency in (*AGENCIES, "governor"):
        (tmp_path / f"{agency}.token").write_text(f"token-of-{agency}\n")
    return tmp_path


class Wire:
    """A gateway's outside: remembers accepted commands, and fails as it is told to."""

    def __init__(self, *faults: Callable[[httpx.Request], httpx.Response | None]) -> None:
        self.accepted: dict[tuple[str, str], str] = {}
        self.clocks: list[str] = []
        self.clock: dict[str, str] = {}
        self.after: list[str] = []
        self.not_yet: set[str] = set()
        self.never: set[str] = set()
        self.lines = 0
        self._faults: Iterator[Callable[[httpx.Request], httpx.Response | None]] = iter(faults)

    def __call__(self, request: httpx.Request) -> httpx.Response:
        if (fault := next(self._faults, None)) and (answer := fault(request)):
            return answer
        if request.method == "GET":
            self.after.append(request.headers["siao-after"])
            return httpx.Response(200, json={})
        if not request.url.path.endswith("/bulk"):
            return self._one(request)
        self.clocks.append(request.headers["siao-simulated-clock"])
        self.clock[request.url.path.split("/")[2]] = self.clocks[-1]
        lines = [self._line(request, json.loads(line)) for line in request.content.splitlines()]
        return httpx.Response(200, text="".join(json.dumps(line) + "\n" for line in lines))

    def _one(self, request: httpx.Request) -> httpx.Response:
        known = self._key(request, json.loads(request.content)) in self.accepted
        if known:
            return httpx.Response(200, headers={"Siao-Repeated": "true"}, json={})
        return httpx.Response(409, json=_problem("date_in_future", retryable=False))

    def _line(self, request: httpx.Request, command: dict[str, Any]) -> dict[str, Any]:
        self.lines += 1
        key = self._key(request, command)
        if command["id"] in self.never:
            return {"status": 422, "problem": _problem("place_unknown", retryable=False)}
        if command["id"] in self.not_yet:
            self.not_yet.discard(command["id"])
            return {"status": 409, "problem": _problem("household_unknown", retryable=True)}
        known = key in self.accepted
        versions = self.accepted.setdefault(key, f"{request.url.path.split('/')[2]}-{len(self.accepted)}@1")
        return {"status": 201, "repeated": known, "receipt": {"stream_versions": versions}}

    @staticmethod
    def _key(request: httpx.Request, command: dict[str, Any]) -> tuple[str, str]:
        return request.headers["authorization"].removeprefix("Bearer token-of-"), command["id"]


def _problem(code: str, *, retryable: bool) -> dict[str, Any]:
    return {"code": code, "title": "No.", "title_th": "ไม่ได้", "field": "data.village", "retryable": retryable}


def away(_: httpx.Request) -> httpx.Response:
    raise httpx.ConnectError("connection refused")


def unavailable(_: httpx.Request) -> httpx.Response:
    return httpx.Response(503, json=_problem("unavailable", retryable=True))


def bad_gateway(_: httpx.Request) -> httpx.Response:
    return httpx.Response(502, text="<html>")


async def run(wire: Wire, sent: list[Entry], tokens: Path, patience: float = PATIENCE) -> publish.Outcome:
    console = Console(quiet=True)
    async with Gateway("http://test", tokens, patience=patience, transport=httpx.MockTransport(wire)) as gateway:
        with Progress(console, len(sent)) as progress:
            outcome = await publish.publish(gateway, sent, progress)
        await publish.settled(gateway, outcome)
        return outcome


def expected(sent: list[Entry]) -> set[tuple[str, str]]:
    return {(entry.agency, entry.command["id"]) for entry in sent}


async def test_every_command_arrives_once_from_its_agency_in_the_clock_s_order(sent: list[Entry], tokens: Path) -> None:
    wire = Wire()
    outcome = await run(wire, sent, tokens)
    assert set(wire.accepted) == expected(sent)
    assert (outcome.sent, outcome.recorded, wire.lines) == (len(sent), len(sent), len(sent))
    assert wire.clocks == sorted(wire.clocks)


async def test_every_service_s_clock_keeps_up(sent: list[Entry], tokens: Path) -> None:
    wire = Wire()
    await run(wire, sent, tokens)
    assert wire.clock == dict.fromkeys(SERVICES, sent[-1].sent_at.isoformat())


async def test_the_last_command_goes_alone_and_last(sent: list[Entry], tokens: Path) -> None:
    wire = Wire()
    await run(wire, sent, tokens)
    assert list(wire.accepted)[-1] == (sent[-1].agency, sent[-1].command["id"])


async def test_a_second_run_knows_that_everything_is_there(sent: list[Entry], tokens: Path) -> None:
    wire = Wire()
    async with Gateway("http://test", tokens, transport=httpx.MockTransport(wire)) as gateway:
        assert not await publish.is_published(gateway, sent)
        await run(wire, sent, tokens)
        assert await publish.is_published(gateway, sent)


async def test_sending_everything_again_records_nothing(sent: list[Entry], tokens: Path) -> None:
    wire = Wire()
    await run(wire, sent[:50], tokens)
    outcome = await run(wire, sent, tokens)
    assert (outcome.sent, outcome.recorded) == (len(sent), len(sent) - 50)
    assert set(wire.accepted) == expected(sent)


@pytest.mark.parametrize("fault", [away, unavailable, bad_gateway])
async def test_what_passes_is_waited_for(fault: Any, sent: list[Entry], tokens: Path) -> None:
    wire = Wire(fault, fault)
    await run(wire, sent, tokens)
    assert set(wire.accepted) == expected(sent)


async def test_only_what_has_to_wait_is_sent_again(sent: list[Entry], tokens: Path) -> None:
    wire = Wire()
    wire.not_yet = {entry.command["id"] for entry in sent[::9]}
    waiting = len(wire.not_yet)
    await run(wire, sent, tokens)
    assert set(wire.accepted) == expected(sent)
    assert wire.lines == len(sent) + waiting


async def test_an_answer_that_breaks_off_is_asked_for_again(sent: list[Entry], tokens: Path) -> None:
    wire = Wire()

    def cut(request: httpx.Request) -> httpx.Response:
        whole = wire(request)
        return httpx.Response(200, text=whole.text.partition("\n")[0] + "\n")

    wire._faults = iter([cut])
    await run(wire, sent, tokens)
    assert set(wire.accepted) == expected(sent)


async def test_a_refusal_stops_and_is_told_without_what_the_command_said(sent: list[Entry], tokens: Path) -> None:
    wire = Wire()
    wire.never = {sent[3].command["id"]}
    with pytest.raises(Stopped) as stopped:
        await run(wire, sent, tokens)
    text = str(stopped.value)
    assert all(
        part in text for part in (sent[3].agency, sent[3].command["id"], "ไม่ได้", "place_unknown", "data.village")
    )
    assert sent[3].command["data"]["household"] not in text


async def test_a_gateway_that_stays_away_is_told(sent: list[Entry], tokens: Path) -> None:
    wire = Wire(*[away] * 1000)
    with pytest.raises(Stopped, match="connection refused"):
        await run(wire, sent, tokens, patience=0.3)


async def test_a_missing_token_is_told(sent: list[Entry], tmp_path: Path) -> None:
    with pytest.raises(Stopped, match="the token of community-development cannot be read"):
        await run(Wire(), sent, tmp_path)


async def test_figures_are_waited_for_by_at_most_a_hundred_streams(sent: list[Entry], tokens: Path) -> None:
    wire = Wire()
    await run(wire, sent, tokens)
    asked = [header.split(",") for header in wire.after]
    assert max(len(some) for some in asked) <= 100
    assert sorted(each for some in asked for each in some) == sorted(wire.accepted.values())
