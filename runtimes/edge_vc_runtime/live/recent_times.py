"""How long the last steps took: those of a second, and a hundred at least."""

from __future__ import annotations

from math import ceil

import numpy as np

FEWEST = 100
"""A 99th percentile of fewer would be the longest."""


class RecentTimes:
    """Durations of the last steps in ns, written by one thread and read by any."""

    def __init__(self, hop: int, sample_rate: int) -> None:
        self._ring = np.zeros(max(sample_rate // hop, FEWEST), np.int64)
        self._hop_ms = hop / sample_rate * 1000
        self._count = 0

    def record(self, duration_ns: int) -> None:
        """Note one step."""
        self._ring[self._count % self._ring.shape[0]] = duration_ns
        self._count += 1

    def percentile_ms(self, percent: float) -> float | None:
        """Return a percentile (the nearest rank) in ms, None before the first step."""
        known = self._ring[: self._count]
        if not known.size:
            return None
        # np.percentile, which interpolates, takes fifty times as long to call.
        rank = max(ceil(known.size * percent / 100) - 1, 0)
        return float(np.partition(known, rank)[rank]) / 1e6

    @property
    def rtf(self) -> float | None:
        """Mean duration over that of a hop."""
        known = self._ring[: self._count]
        return float(known.mean()) / 1e6 / self._hop_ms if known.size else None
