"""A progress bar on a terminal; no output otherwise."""

from __future__ import annotations

import sys
import time
from typing import TextIO

_WIDTH = 30
_EVERY_S = 0.1
_PATIENCE_S = 1.0  # shorter tasks need no bar


class ProgressBar:
    """A growing line on stderr; silent unless stderr is a terminal."""

    def __init__(self, label: str, total: float | None, stream: TextIO | None = None) -> None:
        self._label = label
        self._total = total
        self._stream = stream or sys.stderr
        self._shown = False
        self._next = time.monotonic() + _PATIENCE_S
        self._live = self._stream.isatty()

    def update(self, done: float) -> None:
        """Show the progress, at most ten times a second."""
        now = time.monotonic()
        if not self._live or now < self._next:
            return
        self._next = now + _EVERY_S
        self._shown = True
        self._stream.write(f"\r{self._line(done)}\x1b[K")
        self._stream.flush()

    def close(self) -> None:
        """Remove the bar."""
        if self._shown:
            self._stream.write("\r\x1b[K")
            self._stream.flush()
            self._shown = False

    def _line(self, done: float) -> str:
        if not self._total:
            return f"{self._label} {done:.0f} s"
        part = min(done / self._total, 1.0)
        bar = "#" * int(part * _WIDTH)
        return f"{self._label} [{bar:<{_WIDTH}}] {part:4.0%} of {self._total:.0f} s"
