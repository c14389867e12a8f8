"""`recode`: a village gets another code, and with it every household that lived there when the day came.

A client of the public HTTP API, as the secretariat, which keeps nothing: the gateway says who lived in the village
that day, and the registry adds nothing for whom it has recoded already. So a run that was cut off is run again, and so
is one after which it turned out that somebody else lived there too. Command ids are new in each run: under its old id,
a household whose recoding was voided since would be answered with its old receipt.
"""

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import httpx
from rich.console import Console

from deploy.local import credentials, programs
from deploy.local.home import Home, read_json
from deploy.local.trouble import Trouble, no_stack
from shared.runtime import after, ids
from shared.runtime.auth import Caller, Role

SECRETARIAT = "secretariat"
"""As whom it is recorded."""
TOKEN_SECONDS = 3600
AT_ONCE = after.MAX_STREAMS
"""Households in one request: what they came to can be waited for at once."""
ELSEWHERE = frozenset({"lived_elsewhere", "household_merged", "household_voided"})
"""Refusals of a household that is not of that village after all, as the registry knows it by now."""
AGAIN = "Run it again: nothing is recorded twice.", "โปรดสั่งอีกครั้ง ระบบจะไม่บันทึกซ้ำ"


@dataclass(frozen=True)
class Recoding:
    was: str
    village: str
    on: str
    """The first day of the new code, as the API takes it."""


def run(home: Home, console: Console, recoding: Recoding) -> None:
    """Raises Trouble."""
    ports = read_json(home.ports) if home.ports.exists() else {}
    if "gateway" not in ports:
        raise no_stack(home.root)
    caller = Caller(actor=SECRETARIAT, agency=SECRETARIAT, role=Role.SECRETARIAT)
    token = credentials.caller_token(home.secrets, caller, seconds=TOKEN_SECONDS)
    url, headers = f"http://{programs.HOST}:{ports['gateway']}", {"Authorization": f"Bearer {token}"}
    with httpx.Client(base_url=url, headers=headers, timeout=60) as client:
        try:
            recode(client, console, recoding)
        except httpx.TransportError as error:
            raise Trouble(
                f"The gateway does not answer ({type(error).__name__}): see `./siao status`. {AGAIN[0]}",
                f"เกตเวย์ไม่ตอบ โปรดดู ./siao status {AGAIN[1]}",
            ) from error


def recode(client: httpx.Client, console: Console, recoding: Recoding) -> Counter[str]:
    """What became of how many: recoded, already, elsewhere. May be cut short at any time, and repeated.

    Raises Trouble, httpx.TransportError.
    """
    told, stands = Counter[str](), [""]
    for households in _pages(client, stands, village=recoding.was, valid_on=recoding.on):
        answers = _send(client, recoding, households)
        told.update(map(_outcome, answers))
        versions = (each["receipt"]["stream_versions"] for each in answers if "receipt" in each)
        stands.append(",".join(filter(None, versions)))
        console.print(_said(recoding, told), soft_wrap=True)
    if later := sum(map(len, _pages(client, stands, village=recoding.was))):
        console.print(
            f"{later:,} households came to {recoding.was} after {recoding.on}, and keep that code; where it is no "
            f"more, run this again with the day on which they came.\n"
            f"มี {later:,} ครัวเรือนมาอยู่ใน {recoding.was} หลัง {recoding.on} และยังใช้รหัสเดิม "
            f"หากเลิกใช้รหัสนี้แล้ว โปรดสั่งอีกครั้งด้วยวันที่ครัวเรือนเหล่านั้นมาอยู่",
            soft_wrap=True,
        )
    elif not told:
        en, th = f"Nobody lived in {recoding.was} on {recoding.on}", f"เมื่อ {recoding.on} ไม่มีครัวเรือนใน {recoding.was}"
        console.print(f"{en}. · {th}", soft_wrap=True)
    return told


def _said(recoding: Recoding, told: Mapping[str, int]) -> str:
    return (
        f"{recoding.was} → {recoding.village}: {told['recoded']:,} recoded, {told['already']:,} were already, "
        f"{told['elsewhere']:,} lived elsewhere · "
        f"เปลี่ยนรหัส {told['recoded']:,} เปลี่ยนไว้แล้ว {told['already']:,} อยู่ที่อื่น {told['elsewhere']:,} ครัวเรือน"
    )


def _pages(client: httpx.Client, stands: Sequence[str], **asked: str) -> Iterator[list[str]]:
    """Who lives in a village, each page once the gateway has seen the last of `stands`; of the ones before, those who
    asked for them waited."""
    asked["limit"] = str(AT_ONCE)
    while True:
        headers = {"Siao-After": stands[-1]} if stands[-1] else {}
        found = _read(client.get("/v1/households", params=asked, headers=headers))
        if found["awaits_rebuild"] or found["stale"]:
            raise Trouble(
                f"The gateway does not know now who lives where: see `./siao status`. {AGAIN[0]}",
                f"ขณะนี้เกตเวย์ยังไม่ทราบที่อยู่ล่าสุดของครัวเรือน โปรดดู ./siao status {AGAIN[1]}",
            )
        households: list[str] = found["households"]
        if households:
            yield households
        if len(households) < AT_ONCE:
            return
        asked["after"] = households[-1]


def _send(client: httpx.Client, recoding: Recoding, households: Sequence[str]) -> list[dict[str, Any]]:
    """The answer to each."""
    told = {"was": recoding.was, "village": recoding.village, "occurred_on": recoding.on}
    lines = [
        {"type": "RecodeHousehold.v1", "id": f"recode-{ids.random_part()}", "data": {"household": household, **told}}
        for household in households
    ]
    answer = client.post("/v1/registry/commands/bulk", content="\n".join(map(json.dumps, lines)))
    if not answer.is_success:
        raise _refused(answer.json())
    return [json.loads(line) for line in answer.text.splitlines()]


def _outcome(answer: Mapping[str, Any]) -> str:
    """Raises Trouble for a refusal that would be every household's."""
    if "receipt" in answer:
        return "recoded" if answer["receipt"]["events"] else "already"
    if answer["problem"]["code"] in ELSEWHERE:
        return "elsewhere"
    raise _refused(answer["problem"])


def _read(answer: httpx.Response) -> dict[str, Any]:
    told: dict[str, Any] = answer.json()
    if answer.is_success:
        return told
    raise _refused(told)


def _refused(problem: Mapping[str, Any]) -> Trouble:
    en, th = AGAIN if problem["retryable"] else ("", "")
    field = f" ({problem['field']})" if "field" in problem else ""
    return Trouble(f"{problem['title']}{field} {en}".strip(), f"{problem['title_th']}{field} {th}".strip())
