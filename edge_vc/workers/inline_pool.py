"""A worker that is the current process: no start-up time, but hanging work cannot be ended."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Generic

from edge_vc.workers.pool import (
    Finished,
    Item,
    Message,
    Opener,
    Raised,
    Ready,
    Report,
    Result,
    Worker,
    ignore_report,
)


class InlineWorker(Generic[Item, Result]):
    """Does its work when its message is taken."""

    handle = None

    def __init__(self, opener: Opener[Item, Result], report: Report) -> None:
        self._opener, self._report = opener, report
        self._work: Callable[[Item], Result] | None = None
        self._item: tuple[Item, ...] = ()

    def give(self, item: Item) -> None:
        """Store the item."""
        self._item = (item,)

    def take(self) -> Message[Result]:
        """Open, or work on the item; exceptions keep their traceback."""
        try:
            if self._work is None:
                self._work = self._opener(self._report)
                return Ready()
            return Finished(self._work(*self._item))
        except Exception as error:
            return Raised(error)

    def end(self) -> None:
        """Do nothing: there is no process to end."""


class InlinePool(Generic[Item, Result]):
    """One worker, the current process; for work that is known not to hang or crash."""

    size = 1

    def __init__(self, opener: Opener[Item, Result], on_report: Report = ignore_report) -> None:
        self._opener, self._on_report = opener, on_report

    def start(self) -> InlineWorker[Item, Result]:
        """Return the worker."""
        return InlineWorker(self._opener, self.report)

    def wait(
        self, workers: Sequence[Worker[Item, Result]], seconds: float
    ) -> Sequence[Worker[Item, Result]]:
        """Return all workers: they work when their message is taken."""
        return workers

    def report(self, value: Any) -> None:
        """Pass on a reported value while the item is being worked on."""
        self._on_report(value)
