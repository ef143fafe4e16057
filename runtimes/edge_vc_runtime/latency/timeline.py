"""The times of a stream's samples, from marks that a callback records without allocating."""

from __future__ import annotations

import numpy as np


class Timeline:
    """Positions of callbacks in a stream and the times at which they ran.

    A callback is sometimes late, and a sound server may deliver several blocks at once. So the time
    of a sample is the median over the callbacks around it, each extrapolated at the sample rate.
    """

    def __init__(self, sample_rate: int, marks: int) -> None:
        self._rate = sample_rate
        self._positions = np.zeros(marks, np.int64)
        self._times = np.zeros(marks, np.int64)
        self._count = 0

    def mark(self, position: int, time_ns: int) -> None:
        """Record that the callback whose first sample is ``position`` ran at ``time_ns``."""
        if self._count < self._times.shape[0]:
            self._positions[self._count] = position
            self._times[self._count] = time_ns
            self._count += 1

    def time_of(self, position: float, around_s: float = 0.5) -> float:
        """Return when a sample passed, in s; NaN without a callback within ``around_s`` of it."""
        positions = self._positions[: self._count]
        near = np.abs(positions - position) <= around_s * self._rate
        if not near.any():
            return float("nan")
        starts = self._times[: self._count][near] / 1e9 - positions[near] / self._rate
        return float(np.median(starts)) + position / self._rate

    def position_at(self, time_s: float) -> float:
        """Return the sample that passed at a time in s, from the callbacks before it."""
        before = np.flatnonzero(self._times[: self._count] <= time_s * 1e9)
        last = int(before[-1]) if before.size else 0
        passed = time_s - self._times[last] / 1e9
        return float(self._positions[last] + passed * self._rate)
