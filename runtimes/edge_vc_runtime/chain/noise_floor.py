"""The background level: the minimum of the smoothed level (after Martin 2001).

A minimum ignores a bang and follows a quieter room immediately; a louder background is adopted once
the window, `WINDOW_S`, has passed. So no event, however loud or long, has an effect for longer than
that.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

WINDOW_S = 1.5
PARTS = 6
"""The window moves in steps of a sixth."""
_LOUD = 1e9

Power = NDArray[np.float32]


class NoiseFloor:
    """Minimum of a power per band ``[bands]`` over the last `WINDOW_S`."""

    def __init__(self, bands: int, interval_s: float, smoothing_s: float = 0.06) -> None:
        """``interval_s`` is the time between two calls of `update`."""
        self._every = max(1, round(WINDOW_S / PARTS / interval_s))
        self._keep = np.float32(np.exp(-interval_s / smoothing_s))
        self._smooth: Power = np.zeros(bands, np.float32)
        self._scratch: Power = np.zeros(bands, np.float32)
        self._parts: Power = np.full((PARTS, bands), _LOUD, np.float32)
        self._floor: Power = np.zeros(bands, np.float32)
        self._count = self._part = 0

    def update(self, power: Power) -> Power:
        """Take the current power and return the floor; both ``[bands]``, the result is a view."""
        if self._count == 0:
            self._smooth[:] = power
            self._floor[:] = power
        np.multiply(power, 1 - self._keep, out=self._scratch)
        self._smooth *= self._keep
        self._smooth += self._scratch
        if self._count % self._every == 0:
            self._part = (self._part + 1) % PARTS
            self._parts[self._part] = _LOUD
            np.min(self._parts, axis=0, out=self._floor)
        self._count += 1
        part = self._parts[self._part]
        np.minimum(part, self._smooth, out=part)
        return np.minimum(self._floor, self._smooth, out=self._floor)

    def reset(self) -> None:
        """Clear the state."""
        self._parts.fill(_LOUD)
        self._count = self._part = 0
