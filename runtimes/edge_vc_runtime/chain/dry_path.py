"""The unconverted voice, delayed to align with the converted one."""

from __future__ import annotations

import numpy as np

from edge_vc_runtime.chain.history import SampleHistory
from edge_vc_runtime.samples import Samples


class DryPath:
    """A delay line; a change of the delay is crossfaded over one hop."""

    def __init__(self, hop: int, longest: int) -> None:
        """``longest`` is the largest delay in samples."""
        self._history = SampleHistory(longest + hop, hop)
        self._hop = hop
        self._delay: int | None = None
        self._slope = np.arange(1, hop + 1, dtype=np.float32) / np.float32(hop)
        self._out = np.zeros(hop, np.float32)

    def push(self, audio: Samples) -> None:
        """Append ``[hop]``."""
        self._history.push(audio)

    def read(self, delay: int) -> Samples:
        """Return the hop that is ``delay`` samples old."""
        now = self._history.last(self._hop, delay)
        if self._delay in (None, delay):
            self._delay = delay
            return now
        before = self._history.last(self._hop, self._delay or 0)
        self._delay = delay
        np.subtract(now, before, out=self._out)
        self._out *= self._slope
        self._out += before
        return self._out

    def reset(self) -> None:
        """Reset to silence."""
        self._history.clear()
        self._delay = None
