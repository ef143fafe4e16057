"""Progress of long loops: one protocol for all packages."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol, TypeVar

T = TypeVar("T")


class Progress(Protocol):
    """Shows the progress of a loop by wrapping the items it iterates over."""

    def __call__(self, items: Iterable[T], total: int, label: str) -> Iterable[T]:
        """Yield ``items``, ``total`` of them, under ``label``."""


def no_progress(items: Iterable[T], total: int, label: str) -> Iterable[T]:
    """Show nothing; for tests and for callers with their own display."""
    return items


class PushedProgress:
    """Shows the progress of work that reports it instead of being iterated over."""

    PARTS = 1000

    def __init__(self, progress: Progress, label: str, total: int = PARTS) -> None:
        """Show ``total`` units of work under ``label``."""
        self._bar = iter(progress(range(total + 1), total, label))
        self._total, self._shown = total, 0
        next(self._bar)

    def reach(self, share: float) -> None:
        """Show that ``share`` (0 to 1) of the work is done; never decreases."""
        for _ in range(self._shown, min(round(share * self._total), self._total)):
            self._shown += 1
            next(self._bar)

    def close(self) -> None:
        """End the display, at any point."""
        end = getattr(self._bar, "close", None)
        if end:
            end()
