"""`status`: what each part says of itself, and how far the figures are behind. Exit code 1 if something is not well."""

import asyncio
import re
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
from prometheus_client.parser import text_string_to_metric_families
from rich.console import Console
from rich.table import Table
from rich.text import Text

from deploy.local import credentials, programs, supervisor
from deploy.local.home import Home, read_json
from shared.runtime.auth import Caller, Role

OPERATOR = "operator"
"""Who asks the gateway how fresh the figures are."""
TOKEN_SECONDS = 60
QUARANTINE = "quarantine_records"
BEHIND = re.compile(r"siao_[a-z]+_((?:lag|outbox|quarantine|watermark_age|unknown)_[a-z]+)")

AWAITS_REBUILD = (
    "\nตัวเลขสร้างด้วยโปรแกรมรุ่นอื่น และค้างอยู่เท่านั้นจนกว่าจะสั่ง ./siao rebuild · "
    "the figures are another version's, and stay so until `./siao rebuild`"
)


@dataclass
class Part:
    """One process: what supervisord knows of it, and what it says itself. The two servers say nothing over HTTP."""

    name: str
    state: str
    pid: int
    up: timedelta
    ready: bool | None = None
    says: dict[str, object] = field(default_factory=dict)

    @property
    def well(self) -> bool:
        return self.pid > 0 and self.ready is not False


def show(home: Home, console: Console) -> int:
    """Prints the tables; 0 when everything is well."""
    states = supervisor.states(home) if home.run.is_dir() else {}
    if not states:
        console.print(f"Nothing runs in {home.root}: start it with `./siao up` or `./siao demo`.", soft_wrap=True)
        console.print("ไม่มีอะไรทำงานอยู่ เริ่มด้วย ./siao up หรือ ./siao demo")
        return 1
    parts, freshness = asyncio.run(_ask(home, [_part(state) for state in states.values()]))
    simulated = read_json(home.stack).get("clock") == "simulated"
    console.print(_parts_table(parts))
    if freshness:
        console.print(_log_table(freshness, simulated=simulated))
        console.print(_summary(freshness, _followers(parts), simulated=simulated))
    else:
        console.print("The gateway does not say how fresh the figures are. · เกตเวย์ไม่ตอบ", style="red")
    well = freshness and not freshness["awaits_rebuild"] and all(part.well for part in parts)
    return 0 if well else 1


def _part(state: dict[str, Any]) -> Part:
    return Part(
        state["name"], state["statename"].lower(), state["pid"], timedelta(seconds=state["now"] - state["start"])
    )


async def _ask(home: Home, parts: list[Part]) -> tuple[list[Part], dict[str, Any]]:
    ports = read_json(home.ports)
    async with httpx.AsyncClient(timeout=5) as client:
        asked = [_fill(client, part, f"http://{programs.HOST}:{ports[part.name]}") for part in parts if _speaks(part)]
        *_, freshness = await asyncio.gather(*asked, _freshness(client, home, ports["gateway"]))
    return parts, freshness or {}


def _speaks(part: Part) -> bool:
    return part.name not in {"postgres", "kafka"}


async def _fill(client: httpx.AsyncClient, part: Part, url: str) -> None:
    try:
        answer = await client.get(f"{url}/readyz")
        metrics = await client.get(f"{url}/metrics")
    except httpx.HTTPError as error:
        part.ready, part.says = False, {"why": type(error).__name__}
        return
    part.ready = answer.is_success
    part.says = {name: value for name, value in answer.json().items() if name != "ready"} | gauges(metrics.text)


def gauges(text: str) -> dict[str, object]:
    """What a /metrics page tells of being behind, summed over its labels; names without the process's own prefix."""
    found: dict[str, object] = {}
    for family in text_string_to_metric_families(text):
        if family.type == "gauge" and family.samples and (named := BEHIND.fullmatch(family.name)):
            found[named[1]] = _told(sum(sample.value for sample in family.samples))
    return found


def _told(value: float) -> str:
    return str(int(value)) if value.is_integer() else f"{value:.4g}"


async def _freshness(client: httpx.AsyncClient, home: Home, port: int) -> dict[str, Any] | None:
    caller = Caller(actor=OPERATOR, agency=OPERATOR, role=Role.SECRETARIAT)
    token = credentials.caller_token(home.secrets, caller, seconds=TOKEN_SECONDS)
    url = f"http://{programs.HOST}:{port}/v1/freshness"
    try:
        answer = await client.get(url, headers={"Authorization": f"Bearer {token}"})
    except httpx.HTTPError:
        return None
    return dict(answer.json()) if answer.is_success else None


def _parts_table(parts: list[Part]) -> Table:
    table = Table(*("ส่วน\npart", "สถานะ\nstate", "\npid", "นาน\nup", "พร้อม\nready", "ค้าง\nbehind"), box=None)
    for part in parts:
        ready = {True: Text("✓", "green"), False: Text("✗", "red"), None: Text()}[part.ready]
        state = Text(part.state, "" if part.well else "red")
        says = "  ".join(f"{name}={value}" for name, value in part.says.items())
        table.add_row(part.name, state, str(part.pid or ""), str(part.up) if part.pid else "", ready, says)
    return table


def _log_table(freshness: dict[str, Any], *, simulated: bool) -> Table:
    table = Table(*("บันทึก\nlog", "ตำแหน่ง\nposition", "ค้าง\nlag", "ครบถึง\nwatermark", "ได้ยิน\nheard"), box=None)
    for service in freshness["services"]:
        name = service["service"]
        position = str(freshness["position"].get(name, ""))
        lag = "–" if freshness["awaits_rebuild"] else str(service["lag"])  # nobody listens to what the relays say of it
        mark = _when(service["watermark"], simulated=simulated)
        table.add_row(name, position, lag, mark, _when(service["heard_at"], simulated=False))
    return table


def _followers(parts: list[Part]) -> int:
    """Records that followers have set aside."""
    return sum(int(float(str(part.says.get(QUARANTINE, 0)))) for part in parts)


def _summary(freshness: dict[str, Any], followers: int, *, simulated: bool) -> Text:
    trouble = freshness["trouble"] | {"followers": followers}
    counts = (
        f"กักกัน · quarantined: {trouble['quarantined']}   โดยตัวติดตาม · by followers: {followers}   "
        f"รอ · parked: {trouble['parked']}   ครัวเรือนไม่ครบ · incomplete households: {trouble['incomplete_households']}"
    )
    return Text.assemble(
        f"ข้อมูลใหม่สุด · newest fact: {_when(freshness['newest_fact'], simulated=simulated)}\n",
        (counts, "red" if any(trouble.values()) else "green"),
        (AWAITS_REBUILD if freshness["awaits_rebuild"] else "", "red"),
    )


def _when(moment: str | None, *, simulated: bool) -> str:
    """How long ago; on a simulated clock, which has no "ago", the time itself."""
    if not moment:
        return "–"
    time = datetime.fromisoformat(moment)
    if simulated:
        return f"{time:%Y-%m-%d %H:%M:%S} (simulated)"
    return f"{max(0.0, (datetime.now(UTC) - time).total_seconds()):.1f} s"
