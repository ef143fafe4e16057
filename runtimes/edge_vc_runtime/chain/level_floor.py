"""The background level as one number: `NoiseFloor` for a single band, without arrays.

A few operations on floats cost a tenth of the same operations on one-element arrays.
"""

from __future__ import annotations

import math

from edge_vc_runtime.chain.noise_floor import PARTS, WINDOW_S

_LOUD = 1e9


class LevelFloor:
    """Minimum of a smoothed power over the last `WINDOW_S`."""

    def __init__(self, interval_s: float, smoothing_s: float = 0.06) -> None:
        """``interval_s`` is the time between two calls of `update`."""
        self._every = max(1, round(WINDOW_S / PARTS / interval_s))
        self._keep = math.exp(-interval_s / smoothing_s)
        self._parts = [_LOUD] * PARTS
        self._smooth = self._floor = 0.0
        self._count = self._part = 0

    def update(self, power: float) -> float:
        """Take the current power and return the floor."""
        if self._count == 0:
            self._smooth = self._floor = power
        self._smooth += (power - self._smooth) * (1 - self._keep)
        if self._count % self._every == 0:
            self._part = (self._part + 1) % PARTS
            self._parts[self._part] = _LOUD
            self._floor = min(self._parts)
        self._count += 1
        self._parts[self._part] = min(self._parts[self._part], self._smooth)
        self._floor = min(self._floor, self._smooth)
        return self._floor

    def reset(self) -> None:
        """Clear the state."""
        self._parts = [_LOUD] * PARTS
        self._count = self._part = 0
