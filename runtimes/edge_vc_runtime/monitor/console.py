"""Output of a live run on stderr: one refreshing line, and events on separate lines."""

from __future__ import annotations

import json
import os
import sys
import threading
import time
from collections.abc import Callable
from typing import TextIO

from edge_vc_runtime.live.events import Value
from edge_vc_runtime.live.snapshot import LiveSnapshot
from edge_vc_runtime.message import one_line, printable
from edge_vc_runtime.monitor.status_line import status_line

PLAIN_EVERY_S = 10.0
"""Interval between lines if stderr is not a terminal."""
_PLAIN_WIDTH = 200
_CLEAR = "\r\x1b[K"
# Line wrapping is off while the line is written: otherwise a terminal that has just become narrower
# would scroll. Both codes are in one write, so that no exit can occur between them.
_NO_WRAP, _WRAP = "\x1b[?7l", "\x1b[?7h"


class LiveConsole:
    """Shows snapshots and events; safe to call from any thread but the audio threads.

    No terminal settings stay changed between calls, so that every way to exit leaves it as it was;
    `close` clears the refreshing line. A stream that can no longer be written is abandoned without
    an error: the conversion continues.
    """

    def __init__(
        self,
        stream: TextIO | None = None,
        quiet: bool = False,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._stream = stream or sys.stderr
        self._quiet = quiet
        self._clock = clock
        self._start = clock()
        self._next_plain = self._start
        self._line = ""
        self._lock = threading.Lock()
        self._refreshes = _isatty(self._stream) and os.environ.get("TERM") != "dumb"
        self._colour = self._refreshes and not os.environ.get("NO_COLOR")
        self._blocks = (getattr(self._stream, "encoding", "") or "").lower().startswith("utf")

    def show(self, snapshot: LiveSnapshot) -> None:
        """Refresh the line; if stderr is not a terminal, write one every 10 s."""
        if self._quiet:
            return
        if self._refreshes:
            width = _columns(self._stream) - 1
            line = status_line(snapshot, width, self._blocks, self._colour)
            with self._lock:
                self._line = line
                self._write(f"{_NO_WRAP}\r{line}\x1b[K{_WRAP}")
        elif self._clock() >= self._next_plain:
            self._next_plain = self._clock() + PLAIN_EVERY_S
            self.print(status_line(snapshot, _PLAIN_WIDTH, self._blocks))

    def print(self, text: str) -> None:
        """Write a separate line above the refreshing line, escaped: names may contain anything."""
        if self._quiet:
            return
        text = "\n".join(map(printable, text.split("\n")))
        with self._lock:
            if self._line:
                self._write(f"{_CLEAR}{text}\n{_NO_WRAP}{self._line}{_WRAP}")
            else:
                self._write(f"{text}\n")

    def __call__(self, event: str, **values: Value) -> None:
        """Write an event, as an `EventLog`: ``  12.3 s  tier  to=nano``."""
        fields = " ".join(f"{key}={_field(value)}" for key, value in values.items())
        self.print(f"{self._clock() - self._start:7.1f} s  {one_line(event)}  {fields}".rstrip())

    def close(self) -> None:
        """Clear the refreshing line; may be called twice."""
        with self._lock:
            if self._line:
                self._write(_CLEAR)
                self._line = ""

    def _write(self, text: str) -> None:
        if self._quiet:
            return
        try:
            self._stream.write(text)
            self._stream.flush()
        except (OSError, ValueError):  # closed, or its reader has gone
            self._quiet = True


def _field(value: Value) -> str:
    if isinstance(value, str):
        text = one_line(value)
        return text if text and not set(text) & set(' ="') else json.dumps(text)
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _isatty(stream: TextIO) -> bool:
    try:
        return stream.isatty()
    except ValueError:
        return False


def _columns(stream: TextIO) -> int:
    """Return the terminal's current width; 80 if unknown."""
    try:
        return os.get_terminal_size(stream.fileno()).columns or 80
    except (OSError, ValueError):
        return 80
