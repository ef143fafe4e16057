"""Kills a process at the N-th time that it changes the disk: every sync and rename is a point.

The points are counted in a forked child, whose `os` is patched: the product has no hook for it.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

CHANGES = ("fsync", "replace", "rename", "link")
LIMIT_S = 600


@dataclass(frozen=True)
class CrashedRun:
    """How a forked run ended."""

    killed: bool
    points: int
    """How many it passed."""


def run_until(point: int | None, action: Callable[[], object], clock: float = 0.0) -> CrashedRun:
    """Run ``action`` in a child that is killed (SIGKILL) just before crash point ``point``.

    None lets it end. ``clock`` is added to the child's time of day, in seconds.
    """
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reader)
        code = 1
        try:
            counted = _count_changes(point)
            _move_clock(clock)
            action()
            os.write(writer, str(counted()).encode())
            code = 0
        finally:
            os._exit(code)
    os.close(writer)
    with os.fdopen(reader) as told:
        said = told.read()
    status = os.waitpid(child, 0)[1]
    killed = os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL
    assert killed or status == 0, "the action failed in the child"
    return CrashedRun(killed, int(said) if said else point or 0)


def _count_changes(point: int | None) -> Callable[[], int]:
    passed = 0

    def counting(do: Callable[..., Any]) -> Callable[..., Any]:
        def change(*values: Any, **more: Any) -> Any:
            nonlocal passed
            if passed == point:
                os.kill(os.getpid(), signal.SIGKILL)
            passed += 1
            return do(*values, **more)

        return change

    for name in CHANGES:
        setattr(os, name, counting(getattr(os, name)))
    return lambda: passed


def _move_clock(seconds: float) -> None:
    real = time.time
    time.time = lambda: real() + seconds
