"""Keeps peaks below full scale."""

from __future__ import annotations

import math

import numpy as np

from edge_vc_runtime.samples import Samples, stays_within

CEILING = 0.944
"""-0.5 dBFS."""
_PART_MS = 1.0
_RELEASE_S = 0.1


class Limiter:
    """Lowers the gain before a peak and raises it again within about 0.3 s; without delay.

    The gain is piecewise linear between points 1 ms apart. A peak in the first ms of a hop is too
    early for that and is clipped.
    """

    name = "limiter"
    delay = 0

    def __init__(self, sample_rate: int, hop: int) -> None:
        self.reduction_db = 0.0
        """Gain reduction at the end of the last hop, 0 or more."""
        self._width = max(1, min(hop, round(_PART_MS / 1000 * sample_rate)))
        parts = -(-hop // self._width)
        self._release = 1 - math.exp(-self._width / sample_rate / _RELEASE_S)
        self._hop = hop
        self._padded = np.zeros(parts * self._width, np.float32)
        self._parts = self._padded.reshape(parts, self._width)
        self._peaks = np.zeros(parts, np.float32)
        self._where = np.arange(hop, dtype=np.float64)
        self._points = np.minimum(np.arange(parts + 1) * self._width, hop).astype(np.float64)
        self._out = np.zeros(hop, np.float32)
        self._gain = 1.0

    def step(self, audio: Samples) -> Samples:
        """Limit ``[hop]``; a hop that needs no limiting passes unchanged."""
        if self._gain == 1.0 and stays_within(audio, CEILING):
            return audio
        np.abs(audio, out=self._padded[: self._hop])
        np.max(self._parts, axis=1, out=self._peaks)
        gains = self._follow([min(1.0, CEILING / max(p, 1e-9)) for p in self._peaks.tolist()])
        np.multiply(audio, np.interp(self._where, self._points, gains), out=self._out)
        self.reduction_db = -20 * math.log10(self._gain)
        return np.clip(self._out, -CEILING, CEILING, out=self._out)

    def _follow(self, allowed: list[float]) -> list[float]:
        """Return the gain at every point from the largest gain allowed in each part."""
        gains = [self._gain]
        for index, here in enumerate(allowed):
            following = allowed[index + 1] if index + 1 < len(allowed) else 1.0
            released = gains[-1] + (1.0 - gains[-1]) * self._release
            gains.append(min(here, following, released))
        self._gain = gains[-1] if gains[-1] < 0.9999 else 1.0
        return gains

    def reset(self) -> None:
        """Reset to full gain."""
        self._gain = 1.0
        self.reduction_db = 0.0
