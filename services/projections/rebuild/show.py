"""How far a rebuild is: a bar with rate and remaining time on a terminal, now and then a plain line elsewhere."""

import time
from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, ProgressColumn, Task, TextColumn, TimeRemainingColumn
from rich.text import Text

from services.projections.rebuild.tally import Tally

LINE_SECONDS = 10.0


class Rate(ProgressColumn):
    def render(self, task: Task) -> Text:
        return Text(f"{task.speed or 0:,.0f}/s")


class Show:
    """Counts what was folded; `tally` is the sum."""

    def __init__(self, console: Console) -> None:
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), Rate(), TimeRemainingColumn())
        self._bar = Progress(*columns, console=console, disable=not console.is_terminal, transient=True)
        self._task = self._bar.add_task("ประมวลผล · folding", total=0)
        self._console, self._total = console, 0
        self.tally, self._begun = Tally(), time.monotonic()
        self._last = self._begun
        self._line_at = self._begun + LINE_SECONDS

    def __enter__(self) -> "Show":
        self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bar.stop()

    @property
    def rate(self) -> float:
        """Records a second, from the beginning to the last that was folded."""
        return self.tally.read / max(self._last - self._begun, 0.001)

    def more(self, records: int) -> None:
        """So many have yet to be folded."""
        self._total = self.tally.read + records
        self._bar.update(self._task, total=self._total)

    def told(self, tally: Tally) -> None:
        self.tally += tally
        self._last = time.monotonic()
        self._bar.update(self._task, completed=self.tally.read)
        if not self._console.is_terminal and time.monotonic() >= self._line_at:
            self._line_at = time.monotonic() + LINE_SECONDS
            left = max(0, self._total - self.tally.read) / max(self.rate, 0.001)
            self.say(
                f"{self.tally.read:,} of {self._total:,} events, {self.rate:,.0f}/s, {left:,.0f} s left · "
                f"ประมวลผล {self.tally.read:,} จาก {self._total:,} เหตุการณ์ เหลืออีก {left:,.0f} วินาที"
            )

    def say(self, text: str) -> None:
        self._console.print(text, markup=False, soft_wrap=True)
