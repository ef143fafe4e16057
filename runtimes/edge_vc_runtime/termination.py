"""Clean exits on SIGTERM and on the end of the terminal."""

from __future__ import annotations

import signal
import threading
from types import FrameType
from typing import Any

_SIGNALS = (signal.SIGTERM, signal.SIGHUP)


class Termination:
    """Converts SIGTERM and SIGHUP to exits that run all clean-up; code 143 or 129.

    SIGHUP is sent when a terminal is closed or an SSH connection breaks: recordings are then
    completed. `nohup`, which ignores it, is respected.
    """

    def __enter__(self) -> None:
        self._before: dict[signal.Signals, Any] = {}
        if threading.current_thread() is threading.main_thread():
            for number in _SIGNALS:
                before = signal.getsignal(number)
                if number != signal.SIGHUP or before is not signal.SIG_IGN:
                    self._before[number] = before
                    signal.signal(number, _terminate)

    def __exit__(self, *_: object) -> None:
        for number, before in self._before.items():
            signal.signal(number, before)


def _terminate(signum: int, frame: FrameType | None) -> None:
    if signum == signal.SIGHUP:  # both the kernel and the shell send it: once is enough
        signal.signal(signum, signal.SIG_IGN)
    raise SystemExit(128 + signum)
