"""A progress bar on a terminal."""

from __future__ import annotations

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
from rich.progress import Progress as RichProgress

from casefile.context import Progress


class Bar(Progress):
    """Shows one task at a time on stderr."""

    def __init__(self) -> None:
        self._bar: RichProgress | None = None
        self._task: int = 0

    def start(self, task: str, total: int) -> None:
        """Begin ``task`` of ``total`` steps."""
        self.done()
        self._bar = RichProgress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TextColumn("{task.fields[detail]}"),
            console=Console(stderr=True),
            transient=True,
        )
        self._bar.start()
        self._task = self._bar.add_task(task, total=total, detail="")

    def step(self, detail: str = "") -> None:
        """One step is done."""
        if self._bar is not None:
            self._bar.update(self._bar.task_ids[0], advance=1, detail=detail)

    def done(self) -> None:
        """The task is over."""
        if self._bar is not None:
            self._bar.stop()
            self._bar = None
