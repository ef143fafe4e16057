"""Checks whether a stream still calls back: some devices vanish without an error."""

from __future__ import annotations

import time

STALLED_S = 1.5
"""A stream without a callback for this long has lost its device."""


class CallbackWatch:
    """Counts callbacks on the audio thread; another thread checks that they continue."""

    def __init__(self) -> None:
        self.calls = 0
        """Callbacks so far; only incremented by the audio thread."""
        self._seen = 0
        self._moment = 0.0

    def begin(self) -> None:
        """Start the clock, before the first callback."""
        self._moment = time.monotonic()

    def alive(self) -> bool:
        """Return whether the count has increased within 1.5 s, as seen by calls of this method."""
        now = time.monotonic()
        if self.calls != self._seen:
            self._seen, self._moment = self.calls, now
        return now - self._moment < STALLED_S
