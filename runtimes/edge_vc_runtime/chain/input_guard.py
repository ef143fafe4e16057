"""Makes any input safe: finite and within full scale."""

from __future__ import annotations

import numpy as np

from edge_vc_runtime.samples import Samples, stays_within


class InputGuard:
    """Replaces NaN by silence, clamps to ±1 and counts the samples; good input passes untouched."""

    name = "input guard"
    delay = 0

    def __init__(self, hop: int) -> None:
        self.clipped = 0
        """Samples beyond full scale, or not finite, since the start."""
        self._out = np.zeros(hop, np.float32)

    def step(self, audio: Samples) -> Samples:
        """Return ``[hop]`` within ±1."""
        if stays_within(audio, 1.0):
            return audio
        self.clipped += int(np.count_nonzero(~(np.abs(audio) <= 1.0)))
        np.copyto(self._out, audio)
        self._out[np.isnan(self._out)] = 0.0
        return np.clip(self._out, -1.0, 1.0, out=self._out)

    def reset(self) -> None:
        """Nothing to forget: the count goes on."""
