"""How far publishing has come: a bar on a terminal, a line a month elsewhere."""

from datetime import datetime
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TaskProgressColumn, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bar

from shared.thai import count, thai_month

_COLUMNS = (
    TextColumn("{task.description}"),
    BarColumn(24),
    TaskProgressColumn(),
    MofNCompleteColumn(),
    TimeElapsedColumn(),
)
_HEADING = "เผยแพร่บันทึกสมมุติของจังหวัดขอนแก่น · publishing made-up records of Khon Kaen's programme"


class Progress:
    def __init__(self, console: Console, total: int) -> None:
        self._console, self._total, self._done = console, total, 0
        self._bar = Bar(*_COLUMNS, console=console, disable=not console.is_terminal)
        self._task = self._bar.add_task("", total=total)

    def __enter__(self) -> Self:
        self._console.print(_HEADING, highlight=False)
        self._bar.start()
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self._bar.stop()

    def begin(self, moment: datetime) -> None:
        """A new moment of the simulated clock."""
        text = f"{thai_month(moment)} · {moment:%B %Y}"
        self._bar.update(self._task, description=text)
        if not self._console.is_terminal:
            self._console.print(f"{text}  {count(self._done)} / {count(self._total)}", highlight=False, soft_wrap=True)

    def advance(self, commands: int) -> None:
        self._done += commands
        self._bar.advance(self._task, commands)
