"""What the inference thread may ask of the system and of Python, so that nothing holds it up."""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

MOST_PRIORITY = 49
"""Interrupt threads of the kernel, the sound card's among them, run at 50."""
_SWITCH_S = 0.0005


@dataclass(frozen=True)
class RealtimeSettings:
    """How the inference thread is scheduled."""

    wanted: bool = True
    """Whether to ask for SCHED_FIFO."""
    priority: int = 40
    """Of SCHED_FIFO, 1 to `MOST_PRIORITY`."""
    cpu: int | None = None
    """The processor to stay on; None: any."""


def enter_realtime(settings: RealtimeSettings) -> str:
    """Schedule the calling thread; return one line where something is not allowed, else "".

    The other threads stay as they are: a status line must never delay a hop.
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
    """Keep Python from holding the inference thread up; everything is as before afterwards.

    A thread that wants the interpreter waits for a whole switch interval, 5 ms by default, when
    another one computes: half a hop. A full garbage collection looks at every object and takes
    longer still. So what exists now is taken out of its sight, and `collect_garbage` is called by
    the monitor thread instead: it then sees only what was made since, in well under a millisecond.
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
    """Collect what was made since `calm_interpreter` began."""
    gc.collect()
