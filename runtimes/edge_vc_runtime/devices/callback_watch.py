"""Whether a stream still calls back: some devices vanish without a word."""

from __future__ import annotations

import time

STALLED_S = 1.5
"""A stream that has not called back for so long has lost its device."""


class CallbackWatch:
    """Counts callbacks on the audio thread; another thread asks whether they go on."""

    def __init__(self) -> None:
        self.calls = 0
        """Callbacks so far; the audio thread alone adds to it."""
        self._seen = 0
        self._moment = 0.0

    def begin(self) -> None:
        """Start the clock, before the first callback."""
        self._moment = time.monotonic()

    def alive(self) -> bool:
        """Return whether there was a callback within 1.5 s, as far as this was asked meanwhile."""
        now = time.monotonic()
        if self.calls != self._seen:
            self._seen, self._moment = self.calls, now
        return now - self._moment < STALLED_S
