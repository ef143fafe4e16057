"""SIGTERM, and the end of the terminal, as exits that clean up."""

from __future__ import annotations

import signal
import threading
from types import FrameType
from typing import Any

_SIGNALS = (signal.SIGTERM, signal.SIGHUP)


class Termination:
    """Turns SIGTERM and SIGHUP into exits that run every clean-up on their way; code 143 or 129.

    SIGHUP comes when a terminal is closed or an SSH connection breaks: what was recorded until then
    is completed. `nohup`, which ignores it, is respected.
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
    if signum == signal.SIGHUP:  # the kernel sends it and the shell again: once is enough
        signal.signal(signum, signal.SIG_IGN)
    raise SystemExit(128 + signum)
