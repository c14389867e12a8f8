"""What the launcher prints on; and a line a part while a stack starts, with a spinner and a clock on a terminal."""

import time
from types import TracebackType

from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn


def literal(*, stderr: bool = False, width: int | None = None) -> Console:
    """Prints text as it is: a name or path with brackets or colons in it is no style; styles are said beside it."""
    return Console(stderr=stderr, width=width, highlight=False, markup=False, emoji=False)


class Lines:
    def __init__(self, console: Console) -> None:
        self.console = console
        columns = (
            SpinnerColumn(finished_text="[green]✓"),
            TextColumn("{task.description}", markup=False),
            TimeElapsedColumn(),
        )
        self._progress = Progress(*columns, console=console, disable=not console.is_terminal)
        self._begun: dict[str, tuple[TaskID, float]] = {}

    def __enter__(self) -> "Lines":
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._progress.stop()

    def begin(self, name: str, doing: str) -> None:
        """Shows a part with what is being done to it; again, to change the words."""
        if name not in self._begun:
            self._begun[name] = (self._progress.add_task("", total=1), time.monotonic())
        self._progress.update(self._begun[name][0], description=f"{name:<24}{doing}")

    def done(self, name: str, said: str) -> None:
        task, begun = self._begun[name]
        self._progress.update(task, description=f"{name:<24}{said}", completed=1)
        if not self.console.is_terminal:
            self.console.print(f"✓ {name:<24}{said} ({time.monotonic() - begun:.1f} s)", highlight=False)
