"""How a long loop shows how far it is; the one protocol of every room."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol, TypeVar

T = TypeVar("T")


class Progress(Protocol):
    """Shows how far a loop is; wraps the items it iterates over."""

    def __call__(self, items: Iterable[T], total: int, label: str) -> Iterable[T]:
        """Yield ``items``, ``total`` of them, under ``label``."""


def no_progress(items: Iterable[T], total: int, label: str) -> Iterable[T]:
    """Show nothing: for tests and for callers with a display of their own."""
    return items


class PushedProgress:
    """Shows work that reports how much is done instead of being iterated over."""

    PARTS = 1000

    def __init__(self, progress: Progress, label: str, total: int = PARTS) -> None:
        """Show ``total`` units of work under ``label``."""
        self._bar = iter(progress(range(total + 1), total, label))
        self._total, self._shown = total, 0
        next(self._bar)

    def reach(self, share: float) -> None:
        """Show that ``share`` (0 to 1) of the work is done; never goes back."""
        for _ in range(self._shown, min(round(share * self._total), self._total)):
            self._shown += 1
            next(self._bar)

    def close(self) -> None:
        """End the display, wherever it is."""
        end = getattr(self._bar, "close", None)
        if end:
            end()
