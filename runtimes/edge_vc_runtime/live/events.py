"""One structured line for everything that a running conversion decides or that happens to it."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Protocol

Value = str | int | float | bool | None


class EventLog(Protocol):
    """Takes events; called from any thread but the audio callback and the inference thread."""

    def __call__(self, event: str, **values: Value) -> None:
        """Record one event: ``log("tier", to="nano", reason="p99 11.2 ms of 10 ms")``."""


class JsonEventLog:
    """Writes each event as one JSON object per line."""

    def __init__(self, write: Callable[[str], object]) -> None:
        self._write = write
        self._start = time.monotonic()

    def __call__(self, event: str, **values: Value) -> None:
        """Write ``{"t": seconds since the start, "event": ..., ...}``."""
        moment = round(time.monotonic() - self._start, 3)
        self._write(json.dumps({"t": moment, "event": event, **values}) + "\n")


def silent_log(event: str, **values: Value) -> None:
    """Drop the event."""
