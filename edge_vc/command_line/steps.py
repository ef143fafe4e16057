"""Progress display: bars on a terminal, one line per finished step everywhere else."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from types import TracebackType
from typing import TypeVar

from rich.console import Console
from rich.markup import escape
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from edge_vc_runtime.message import printable

T = TypeVar("T")


def stderr_console() -> Console:
    """Return the console for all output that is not a result; results go to stdout."""
    return Console(stderr=True)


class Steps:
    """Shows the steps of a verb.

    On a terminal each step has a bar that disappears when it is done. In a pipe or a file each
    finished step is one line: ``label: 12 recordings in 3.4 s``, without control codes.
    """

    def __init__(self, console: Console, unit: str = "", *, lines: bool = True) -> None:
        """Count in ``unit``; ``lines=False`` leaves the lines to the caller."""
        self.console = console
        self._unit = unit
        self._lines = lines and not console.is_terminal
        self._open: dict[TaskID, tuple[str, float]] = {}
        self._bars = Progress(
            TextColumn("  {task.description}", markup=False),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn(unit),
            TimeElapsedColumn(),
            TextColumn("left"),
            TimeRemainingColumn(),
            console=console,
            transient=True,
            disable=not console.is_terminal,
        )

    def __enter__(self) -> Steps:
        """Start the display."""
        self._bars.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Remove the bars; unless an error occurred, print the lines of steps still open."""
        for task in list(self._open):
            self._finish(task, failed=kind is not None)
        self._bars.stop()

    def say(self, line: str) -> None:
        """Print a line above the bars."""
        self.console.print(printable(line), markup=False, highlight=False, soft_wrap=True)

    def track(self, items: Iterable[T], total: int, label: str) -> Iterator[T]:
        """Yield ``items``, ``total`` of them, as one step."""
        task = self._start(label, total)
        finished = False
        try:
            for item in items:
                yield item
                self._bars.advance(task)
            finished = True
        finally:
            self._finish(task, failed=not finished)

    def push(self, label: str, total: float | None = None) -> Callable[[float, float], None]:
        """Start a step that reports its own progress; return ``update(done, total)``."""
        task = self._start(label, total)
        return lambda done, total: self._bars.update(task, completed=int(done), total=int(total))

    def _start(self, label: str, total: float | None) -> TaskID:
        task = self._bars.add_task(label, total=total)
        self._open[task] = (label, time.monotonic())
        return task

    def _finish(self, task: TaskID, *, failed: bool) -> None:
        label, started = self._open.pop(task)
        done = next(each.completed for each in self._bars.tasks if each.id == task)
        self._bars.remove_task(task)
        if self._lines and not failed:
            count = f"{done:,.0f} {self._unit} ".replace("  ", " ")
            self.say(f"{label}: {count}in {time.monotonic() - started:.1f} s")


class Notes:
    """Shows the current activity: in place on a terminal, one line per step everywhere else."""

    def __init__(self, console: Console, label: str) -> None:
        self._console = console
        self._status = console.status(label)

    def __enter__(self) -> Notes:
        """Start the display."""
        if self._console.is_terminal:
            self._status.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Remove the display."""
        self._status.stop()

    def show(self, line: str) -> None:
        """Show a line; on a terminal the next line replaces it unless it states a result."""
        if self._console.is_terminal:
            self._status.update(escape(line))
        if not self._console.is_terminal or ":" in line:
            self._console.print(printable(line), markup=False, highlight=False, soft_wrap=True)
