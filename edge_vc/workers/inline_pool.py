"""A worker that is this very process: no start-up time, and no way to end what hangs."""

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
    """Works while it is waited for."""

    handle = None

    def __init__(self, opener: Opener[Item, Result], report: Report) -> None:
        self._opener, self._report = opener, report
        self._work: Callable[[Item], Result] | None = None
        self._item: tuple[Item, ...] = ()

    def give(self, item: Item) -> None:
        """Remember the item."""
        self._item = (item,)

    def take(self) -> Message[Result]:
        """Open, or work on the item; what that raises keeps its traceback."""
        try:
            if self._work is None:
                self._work = self._opener(self._report)
                return Ready()
            return Finished(self._work(*self._item))
        except Exception as error:
            return Raised(error)

    def end(self) -> None:
        """There is nothing to end."""


class InlinePool(Generic[Item, Result]):
    """One worker, this process; for work that is known not to hang or die."""

    size = 1

    def __init__(self, opener: Opener[Item, Result], on_report: Report = ignore_report) -> None:
        self._opener, self._on_report = opener, on_report

    def start(self) -> InlineWorker[Item, Result]:
        """Return the worker."""
        return InlineWorker(self._opener, self.report)

    def wait(
        self, workers: Sequence[Worker[Item, Result]], seconds: float
    ) -> Sequence[Worker[Item, Result]]:
        """Return them all: they work when they are asked."""
        return workers

    def report(self, value: Any) -> None:
        """Pass on what is reported, while the item is worked on."""
        self._on_report(value)
