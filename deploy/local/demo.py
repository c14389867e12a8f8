"""`demo`: the stack on a simulated clock, and the province published through its public HTTP API; `up`'s last words."""

import shlex
from pathlib import Path

from rich.console import Console
from rich.text import Text

from deploy.local import credentials, watched
from deploy.local.home import Home, read_json, write_private
from deploy.local.stack import Stack, running
from services.demo.agencies import AGENCIES
from shared.runtime.auth import Caller, Role

TOKEN_DAYS = 30
LINK_SECONDS = 12 * 3600
"""How long the page's link is good: a working day."""
GOVERNOR = "governor"
JUDGED = (0, 1)
"""services.demo's exit codes when everything was published: whether every figure is the published one."""
INCOMPLETE = (
    "ข้อมูลไม่ครบ เพราะการเผยแพร่หยุดกลางคัน กด Ctrl-C แล้วสั่ง ./siao demo อีกครั้งเพื่อทำต่อ\n"
    "The data are incomplete, as publishing stopped: Ctrl-C, then `./siao demo` again goes on from there."
)
LINK_SAID = "ลิงก์เข้าใช้ · link that signs in:"


def run(home: Home, console: Console, *, once: bool) -> int:
    """Answers 0 when the published table came out, figure by figure. Raises Trouble."""
    with running(home, console, clock="simulated", made_by="demo") as stack:
        code = publish(stack)
        if not once:
            say_where(stack, console, complete=code in JUDGED)
            serve(stack, console)
    return code


def publish(stack: Stack) -> int:
    """Runs `python -m services.demo`, which speaks HTTP only, with a token for each agency; its exit code."""
    for agency in AGENCIES:
        credentials.token_file(stack.home, agency, Role.AGENCY, days=TOKEN_DAYS)
    credentials.token_file(stack.home, GOVERNOR, Role.GOVERNOR, days=TOKEN_DAYS)
    client = watched.start("services.demo", "--gateway", stack.gateway, "--tokens", str(stack.home.agencies))
    try:
        return client.wait()
    finally:
        watched.end(client)


def serve(stack: Stack, console: Console) -> None:
    """Until Ctrl-C or another signal, which is how it is meant to end. Raises Trouble when the supervisor dies."""
    try:
        stack.watch(console)
    except KeyboardInterrupt:
        console.print()


def say_where(stack: Stack, console: Console, *, complete: bool = True) -> None:
    """Where everything is, and a link that signs in to the page: on a terminal itself, elsewhere the file it is in.

    `complete` is False where the demonstration's data were not all published.
    """
    governor = Caller(actor="governor-link", agency=GOVERNOR, role=Role.GOVERNOR)
    token = credentials.caller_token(stack.home.secrets, governor, seconds=LINK_SECONDS)
    link = stack.home.run / "page-link"
    write_private(link, f"{stack.gateway}/#token={token}\n")
    shown = link.read_text().strip() if console.file.isatty() else f"{stack.gateway}   {LINK_SAID} {link}"
    clock = "  (simulated clock · นาฬิกาจำลอง)" if stack.clock == "simulated" else ""
    said = Text.assemble(
        "\n",
        ("พร้อมใช้งาน · Ready", "green") if complete else (INCOMPLETE, "red"),
        (clock, "yellow"),
        "\n\n"
        f"  หน้าเว็บ · page       {shown}\n"
        f"  API                  {stack.gateway}/docs\n"
        f"  โทเคน · tokens        {stack.home.agencies}   (./siao agency add NAME)\n"
        f"  สถานะ · status        ./siao status      หยุด · stop   Ctrl-C\n",
    )
    console.print(said, soft_wrap=True)


def first_command(home: Home, token: Path) -> str:
    """A first event by hand, at the port of the last start."""
    gateway = f"http://127.0.0.1:{read_json(home.ports)['gateway']}"
    return (
        f'curl -s {gateway}/v1/registry/commands -H "Authorization: Bearer $(cat {shlex.quote(str(token))})" -d \'{{\n'
        '  "type": "RegisterHousehold.v1", "id": "my-first",\n'
        '  "data": {"occurred_on": "2019-09-20", "village": "40190101",\n'
        '           "members": [{"relation": "head", "name": "สมมติ ตัวอย่าง"}]}}\''
    )
