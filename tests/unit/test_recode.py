"""`./siao recode` against a gateway that shows of what was recorded only what it was asked to wait for."""

import json
from collections.abc import Iterable
from io import StringIO

import httpx
import pytest
from rich.console import Console

from deploy.local import recode
from deploy.local.recode import Recoding
from tests.support.log import household

WAS, NEW, DAY, PAGE = "40190101", "40190121", "2020-02-01", 10


class Gateway:
    """`came`: who lives there only after the day of the recoding."""

    def __init__(self, homes: Iterable[str], came: Iterable[str]) -> None:
        self._homes, self._came = set(homes), set(came)

    def __call__(self, request: httpx.Request) -> httpx.Response:
        if request.method == "POST":
            told = [json.loads(line)["data"]["household"] for line in request.content.splitlines()]
            return httpx.Response(200, text="\n".join(map(_answer, told)))
        asked, streams = request.url.params, request.headers.get("Siao-After", "").split(",")
        assert len(streams) <= PAGE
        self._homes -= {stream.removeprefix("household-").partition("@")[0] for stream in streams}
        there = self._homes if "valid_on" in asked else self._homes | self._came
        page = sorted(home for home in there if home > asked.get("after", ""))[: int(asked["limit"])]
        return httpx.Response(200, json={"households": page, "awaits_rebuild": False, "stale": False})


def _answer(home: str) -> str:
    return json.dumps({"receipt": {"events": [{}], "stream_versions": f"household-{home}@2"}})


def run(homes: Iterable[str], came: Iterable[str], monkeypatch: pytest.MonkeyPatch) -> tuple[int, str]:
    """How many were recoded, and what was said."""
    monkeypatch.setattr(recode, "AT_ONCE", PAGE)
    said, transport = StringIO(), httpx.MockTransport(Gateway(homes, came))
    with httpx.Client(base_url="http://gateway", transport=transport) as client:
        told = recode.recode(client, Console(file=said), Recoding(WAS, NEW, DAY))
    return told["recoded"], said.getvalue()


@pytest.mark.parametrize("count", [PAGE - 1, PAGE, 2 * PAGE, 2 * PAGE + 5])
def test_who_was_recoded_did_not_come_later(count: int, monkeypatch: pytest.MonkeyPatch) -> None:
    homes = [household(n) for n in range(count)]
    recoded, said = run(homes, [], monkeypatch)
    assert recoded == count
    assert "came to" not in said


@pytest.mark.parametrize("count", [0, 2 * PAGE + 5])
def test_who_came_later_is_told_in_both_languages(count: int, monkeypatch: pytest.MonkeyPatch) -> None:
    came = [household(n) for n in range(500, 512)]
    _, said = run([household(n) for n in range(count)], came, monkeypatch)
    assert f"12 households came to {WAS} after {DAY}, and keep that code" in said
    assert f"มี 12 ครัวเรือนมาอยู่ใน {WAS} หลัง {DAY}" in said
