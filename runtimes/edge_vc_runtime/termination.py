"""SIGTERM as an exit that cleans up."""

from __future__ import annotations

import signal
import threading
from types import FrameType


class Termination:
    """Turns SIGTERM into an exit that runs every clean-up on its way; code 143."""

    def __enter__(self) -> None:
        self._main = threading.current_thread() is threading.main_thread()
        if self._main:
            self._before = signal.signal(signal.SIGTERM, _terminate)

    def __exit__(self, *_: object) -> None:
        if self._main:
            signal.signal(signal.SIGTERM, self._before)


def _terminate(signum: int, frame: FrameType | None) -> None:
    raise SystemExit(128 + signum)
