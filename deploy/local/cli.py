"""The commands of `./siao`. Each ends with one clear sentence when something outside of Siao is wrong."""

import os
import re
import sys
from collections.abc import Callable
from typing import Annotated

import typer
from rich.text import Text

from deploy.local import checks, credentials, demo, down, home, logs, rebuild, recode, reconcile, stack, status
from deploy.local.lines import literal
from deploy.local.trouble import Trouble, explained
from shared.runtime.auth import Role

EXAMPLES = """[bold]Examples[/]

./siao demo                      everything, with the demonstration's data\n
./siao demo --once               the same; ends after the table\n
SIAO_HOME=~/real ./siao up       a stack for real data, in a folder of its own\n
./siao logs registry -f          what one process writes, until Ctrl-C\n
./siao agency add red-cross      a token, and how to publish with it
"""

WRONG_ARGUMENTS = 2
"""click's exit code."""

console = literal(width=None if sys.stdout.isatty() else 130)
app = typer.Typer(
    help="Siao (เสี่ยว): a province's paired poverty-alleviation programme, from events to live tables.",
    epilog=EXAMPLES,
    no_args_is_help=True,
    rich_markup_mode="rich",
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["--help", "-h"]},
)
agency_app = typer.Typer(help="Agencies that publish: their tokens.", no_args_is_help=True)
app.add_typer(agency_app, name="agency")
test_app = typer.Typer(help="Run everything that CI runs.")
app.add_typer(test_app, name="test")


@app.command("demo")
def demo_command(
    once: Annotated[
        bool, typer.Option("--once", help="End after the table; exit 0 only if every figure fits.")
    ] = False,
) -> None:
    """Start everything, publish the demonstration's province, print the published table, and serve."""
    raise typer.Exit(demo.run(home.here(), console, once=once))


@app.command()
def up() -> None:
    """Start everything without the demonstration's data, and serve until Ctrl-C."""
    where = home.here()
    with stack.running(where, console, clock="real", made_by="up") as running:
        demo.say_where(running, console)
        demo.serve(running, console)


@app.command("status")
def status_command() -> None:
    """Show each part: running, ready, lag, position, age of the newest fact. Exit 1 if something is not well."""
    raise typer.Exit(status.show(home.here(), console))


@app.command("down")
def down_command() -> None:
    """Stop what runs in this folder, whoever started it."""
    down.run(home.here(), console)


@app.command("logs")
def logs_command(
    service: Annotated[str, typer.Argument(help="A process, as `status` names it; all when left out.")] = "",
    follow: Annotated[bool, typer.Option("-f", "--follow", help="Go on until Ctrl-C.")] = False,
    lines: Annotated[int, typer.Option("-n", min=1, help="How many of the last lines.")] = 50,
) -> None:
    """Show what the processes wrote."""
    logs.show(home.here(), service, lines=lines, follow=follow)


@app.command("rebuild")
def rebuild_command(
    check: Annotated[bool, typer.Option("--check", help="Compare only; exit 1 and a row if they differ.")] = False,
    back: Annotated[bool, typer.Option("--back", help="Go back to the tables that were live before.")] = False,
    as_known_at: Annotated[
        str, typer.Option(metavar="TIME", help="Make an auditor's copy of what was known then; nothing is switched.")
    ] = "",
    accept: Annotated[
        bool, typer.Option("--accept-differences", help="Switch although some rows came out differently.")
    ] = False,
    processes: Annotated[int, typer.Option(min=1, max=24, help="That fold.")] = min(4, os.cpu_count() or 1),
) -> None:
    """Fold the whole log into new tables beside the live ones, compare, and switch; nothing stops meanwhile."""
    if check + back + accept + bool(as_known_at) > 1:
        raise Trouble(
            "Only one of --check, --back, --as-known-at and --accept-differences can be meant.",
            "โปรดเลือกเพียงอย่างเดียว: --check, --back, --as-known-at หรือ --accept-differences",
        )
    where = home.here()
    if check:
        code = rebuild.check(where, console, processes=processes)
    elif back:
        code = rebuild.back(where, console, processes=processes)
    elif as_known_at:
        code = rebuild.as_known_at(where, console, rebuild.moment_of(as_known_at), processes=processes)
    else:
        code = rebuild.rebuild(where, console, processes=processes, accept=accept)
    raise typer.Exit(code)


@app.command("recode")
def recode_command(
    was: Annotated[str, typer.Option("--from", metavar="CODE", help="The village's code until then: eight digits.")],
    village: Annotated[str, typer.Option("--to", metavar="CODE", help="Its new code.")],
    on: Annotated[str, typer.Option(metavar="DATE", help="The first day of the new code, such as 2020-02-01.")],
) -> None:
    """Give a village another code, and every household that lived there that day; run it again at any time."""
    recode.run(home.here(), console, recode.Recoding(was, village, on))


@app.command("reconcile")
def reconcile_command() -> None:
    """After a backup was put back: what the services know of households becomes what the registry holds."""
    reconcile.run(home.here(), console)


@test_app.callback(invoke_without_command=True)
def test_command(context: typer.Context) -> None:
    """Run everything that CI runs, and end with one line of counts."""
    if context.invoked_subcommand is None:
        raise typer.Exit(checks.run(console))


@test_app.command("faults")
def faults_command(
    seeds: Annotated[int, typer.Option(min=1, help="How many, one after the other; a night is about 500.")] = 1,
    first: Annotated[int, typer.Option(min=0, help="The first; a seed always means the same faults.")] = 1,
) -> None:
    """Break everything as each seed says, and check every promise. Exit 1 if one is broken, with its seed."""
    raise typer.Exit(checks.faults(seeds, first))


@app.command("bench", context_settings={"ignore_unknown_options": True, "help_option_names": []})
def bench_command(
    arguments: Annotated[list[str] | None, typer.Argument(metavar="[ROW]... [OPTIONS]", help="See --help.")] = None,
) -> None:
    """Measure Siao beside other engines, in some 22 minutes; `bench --help` has the rows."""
    raise typer.Exit(checks.bench(arguments or []))


RESERVED = (demo.GOVERNOR, status.OPERATOR)
SLUG = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")


@agency_app.command("add")
def add_agency(
    name: Annotated[str, typer.Argument(help="Small letters, digits and hyphens, such as red-cross.")],
    role: Annotated[Role, typer.Option(help="What it may do.")] = Role.AGENCY,
    days: Annotated[int, typer.Option(min=1, max=366, help="How long the token is good.")] = 90,
) -> None:
    """Make a token for an agency's own system, and show how to publish with it. Only a terminal sees the token."""
    where = home.here()
    if not SLUG.fullmatch(name):
        raise Trouble(
            f"{name!r} is not a name for an agency: use small letters, digits and hyphens, such as red-cross.",
            f"ใช้ {name!r} เป็นชื่อหน่วยงานไม่ได้ โปรดใช้ตัวอักษรอังกฤษตัวเล็ก ตัวเลข และขีด เช่น red-cross",
        )
    if name in RESERVED:
        raise Trouble(
            f"{name} is a name that Siao itself reads with: choose another one.",
            f"ระบบใช้ชื่อ {name} อ่านข้อมูลเอง โปรดเลือกชื่ออื่น",
        )
    if not where.stack.exists():
        raise Trouble(
            f"There is no stack in {where.root} yet: start one with `./siao up`, then add agencies.",
            f"ยังไม่มีระบบใน {where.root} โปรดเริ่มด้วย ./siao up แล้วจึงเพิ่มหน่วยงาน",
        )
    path = credentials.token_file(where, name, role, days=days)
    token = f"{path.read_text().strip()}\n\n" if console.file.isatty() else ""
    said = f"{token}{path} ({role}, {days} days · {days} วัน)\n\n{demo.first_command(where, path)}"
    console.print(said, soft_wrap=True)


def run(command: Callable[..., object]) -> None:
    """Runs it on the arguments of this process; what it says of wrong ones in English gets a line in Thai."""
    try:
        command(prog_name="siao")
    except SystemExit as end:
        if end.code == WRONG_ARGUMENTS and not isinstance(end.__context__, typer.Exit):  # not a code of our own
            print("คำสั่งหรือตัวเลือกไม่ถูกต้อง ดูวิธีใช้ด้วย ./siao --help", file=sys.stderr)
        raise


def main() -> None:
    """Runs a command; Trouble becomes one sentence in each language and exit code 1."""
    try:
        with explained():
            run(app)
    except Trouble as trouble:
        if trouble.details:
            print(trouble.details, file=sys.stderr)
        said = Text.assemble(("✗", "red"), f" {trouble.en}\n  {trouble.th}")
        literal(stderr=True).print(said, soft_wrap=True)
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)
