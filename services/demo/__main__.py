"""python -m services.demo --gateway http://127.0.0.1:8000 --tokens FOLDER

Publishes the province and prints the published table. Ends with 0 when every figure is the published one, with 1 when
one differs, with 2 when it could not publish or read.
"""

import asyncio
import sys
from collections.abc import Sequence
from pathlib import Path
from time import monotonic
from typing import Annotated

import typer
from rich.console import Console
from rich.text import Text

from services.demo import answers, province, publish, table
from services.demo.client import Gateway, Stopped
from services.demo.entries import Entry
from services.demo.mistakes import everything
from services.demo.progress import Progress
from shared.thai import count

PLAIN_WIDTH = 160
"""Columns where there is no terminal to ask."""


def main(
    gateway: Annotated[str, typer.Option(help="Address of the gateway.")],
    tokens: Annotated[Path, typer.Option(help="Folder with <agency>.token files and governor.token.")],
    seed: Annotated[int, typer.Option(help="Another seed makes another province.")] = province.SEED,
) -> None:
    """Publish the demonstration's province through the public API, and print the programme's published table."""
    console = Console(width=None if sys.stdout.isatty() else PLAIN_WIDTH)
    try:
        found = asyncio.run(run(gateway, tokens, seed, console))
    except Stopped as error:
        console.print(Text.assemble(("หยุด · stopped:", "bold red"), f" {error}"))
        raise typer.Exit(2) from error
    raise typer.Exit(0 if found.same else 1)


async def run(url: str, tokens: Path, seed: int, console: Console) -> answers.Answers:
    """What the gateway answers once everything is published; printed to `console`. Raises Stopped."""
    commands = everything(province.make(seed))
    async with Gateway(url, tokens) as gateway:
        done = await publish.is_published(gateway, commands)
        if done:
            console.print("เผยแพร่ครบแล้วก่อนหน้านี้ · everything was published before", highlight=False)
        found = await answers.ask(gateway) if done else None
        if found is None or not found.same:
            await _publish(gateway, commands, console)
            found = await answers.ask(gateway)
    table.show(found, console)
    return found


async def _publish(gateway: Gateway, commands: Sequence[Entry], console: Console) -> None:
    """Returns when everything is in, and in the figures."""
    begun = monotonic()
    with Progress(console, len(commands)) as progress:
        outcome = await publish.publish(gateway, commands, progress)
    await publish.settled(gateway, outcome)
    sent, recorded = count(outcome.sent), count(outcome.recorded)
    console.print(
        f"ส่ง {sent} คำสั่ง บันทึกใหม่ {recorded} ใช้เวลา {monotonic() - begun:.1f} วินาที · "
        f"{sent} commands sent, {recorded} newly recorded, {monotonic() - begun:.1f} s until they were in the figures",
        highlight=False,
    )


if __name__ == "__main__":
    typer.run(main)
