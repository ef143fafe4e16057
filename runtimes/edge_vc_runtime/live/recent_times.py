"""Durations of the most recent steps: those of a second, and at least a hundred."""

from __future__ import annotations

from math import ceil

import numpy as np

FEWEST = 100
"""With fewer, the 99th percentile would be the maximum."""


class RecentTimes:
    """Durations of the last steps in ns, written by one thread and read by any."""

    def __init__(self, hop: int, sample_rate: int) -> None:
        self._ring = np.zeros(max(sample_rate // hop, FEWEST), np.int64)
        self._hop_ms = hop / sample_rate * 1000
        self._count = 0

    def record(self, duration_ns: int) -> None:
        """Record one step."""
        self._ring[self._count % self._ring.shape[0]] = duration_ns
        self._count += 1

    def percentile_ms(self, percent: float) -> float | None:
        """Return a percentile (nearest rank) in ms, None before the first step."""
        known = self._ring[: self._count]
        if not known.size:
            return None
        # np.percentile, which interpolates, takes fifty times as long to call.
        rank = max(ceil(known.size * percent / 100) - 1, 0)
        return float(np.partition(known, rank)[rank]) / 1e6

    @property
    def rtf(self) -> float | None:
        """Mean step duration over hop duration."""
        known = self._ring[: self._count]
        return float(known.mean()) / 1e6 / self._hop_ms if known.size else None
