"""Scheduling and interpreter settings that keep the inference thread from being delayed."""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

MOST_PRIORITY = 49
"""The kernel's interrupt threads, including the sound card's, run at 50."""
_SWITCH_S = 0.0005


@dataclass(frozen=True)
class RealtimeSettings:
    """How the inference thread is scheduled."""

    wanted: bool = True
    """Whether to request SCHED_FIFO."""
    priority: int = 40
    """SCHED_FIFO priority, 1 to `MOST_PRIORITY`."""
    cpu: int | None = None
    """The processor to stay on; None: any."""


def enter_realtime(settings: RealtimeSettings) -> str:
    """Schedule the calling thread; return one line if something is not allowed, otherwise "".

    Other threads are unchanged: a status line must never delay a hop.
    """
    lines = []
    if settings.cpu is not None:
        try:
            os.sched_setaffinity(0, {settings.cpu})
        except (OSError, ValueError, OverflowError):
            free = sorted(os.sched_getaffinity(0))
            lines.append(f"--cpu {settings.cpu} is not usable here; usable are {free}")
    if settings.wanted:
        try:
            os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(settings.priority))
        except OSError:
            lines.append(
                f"no real-time priority: add '@audio - rtprio {MOST_PRIORITY}' to "
                "/etc/security/limits.d/audio.conf, be in the group audio and log in again (a "
                f"systemd service: LimitRTPRIO={MOST_PRIORITY}); --no-realtime says nothing"
            )
    return "; ".join(lines)


@contextmanager
def calm_interpreter() -> Iterator[None]:
    """Keep Python from delaying the inference thread; restore all settings afterwards.

    A thread that needs the interpreter waits for a whole switch interval, 5 ms by default, while
    another one computes: half a hop. A full garbage collection examines every object and takes even
    longer. So existing objects are frozen, and `collect_garbage` is called by the monitor thread
    instead: it then only examines newer objects, in well under a millisecond.
    """
    interval, enabled = sys.getswitchinterval(), gc.isenabled()
    gc.collect()
    gc.freeze()
    gc.disable()
    sys.setswitchinterval(_SWITCH_S)
    try:
        yield
    finally:
        sys.setswitchinterval(interval)
        gc.unfreeze()
        if enabled:
            gc.enable()


def collect_garbage() -> None:
    """Collect garbage among objects created since the start of `calm_interpreter`."""
    gc.collect()
