"""One structured line for everything that a running conversion decides or that happens to it."""

from __future__ import annotations

from typing import Protocol

Value = str | int | float | bool | None


class EventLog(Protocol):
    """Takes events; called from any thread but the audio callback and the inference thread."""

    def __call__(self, event: str, **values: Value) -> None:
        """Record one event: ``log("tier", to="nano", reason="p99 11.2 ms of 10 ms")``."""


def silent_log(event: str, **values: Value) -> None:
    """Drop the event."""
