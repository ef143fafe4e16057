"""A queue of timed vectors from one thread to the audio thread."""

from __future__ import annotations

import numpy as np

from edge_vc_runtime.chain.aux_stream import HOLD_S
from edge_vc_runtime.samples import Samples

PLACES = 1024
"""Capacity in vectors: ten seconds at 100 hops per second."""


class VectorQueue:
    """One thread puts, another takes; neither waits, and taking does not allocate."""

    def __init__(self, size: int) -> None:
        self._times = np.zeros(PLACES, np.float64)
        self._rows = np.zeros((PLACES, size), np.float32)
        self._put = 0
        self._taken = 0
        """Index of the currently valid vector; there is none before the first put."""

    def put(self, time_s: float, vector: Samples) -> bool:
        """Append a vector ``[size]`` that is valid from ``time_s`` on; return False if full.

        Times have to increase: a decreasing time is replaced by the previous one.
        """
        if self._put - self._taken >= PLACES:
            return False
        place = self._put % PLACES
        before = self._times[(self._put - 1) % PLACES] if self._put else time_s
        self._times[place] = max(time_s, before)
        self._rows[place] = vector
        self._put += 1
        return True

    def take(self, now_s: float, out: Samples) -> None:
        """Copy the newest vector that is valid at ``now_s`` into ``out``; zeros without one."""
        last = self._put
        while self._taken + 1 < last and self._times[(self._taken + 1) % PLACES] <= now_s:
            self._taken += 1
        time_s = self._times[self._taken % PLACES]
        if self._taken < last and time_s <= now_s < time_s + HOLD_S:
            np.copyto(out, self._rows[self._taken % PLACES])
        else:
            out.fill(0.0)
