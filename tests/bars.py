"""A progress display that remembers what it was told."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any


class Bar:
    """A `Progress` whose displays are all remembered in one."""

    def __init__(self, stop_at: int | None = None) -> None:
        self.stop_at = stop_at
        self.done: list[int] = []
        """How many items were asked for before each one."""
        self.shown: list[tuple[int, str]] = []
        """Total and label of every display."""
        self.closed = 0

    def __call__(self, items: Iterable[Any], total: int, label: str) -> Iterator[Any]:
        self.shown.append((total, label))
        try:
            for number, item in enumerate(items):
                if number == self.stop_at:
                    raise KeyboardInterrupt
                self.done.append(number)
                yield item
        finally:
            self.closed += 1
