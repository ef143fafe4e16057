"""Makes any input safe: finite and within full scale."""

from __future__ import annotations

import numpy as np

from edge_vc_runtime.samples import Samples, stays_within


class InputGuard:
    """Replaces NaN by silence, clamps to ±1 and counts such samples; valid input passes unchanged.

    Does not allocate after construction.
    """

    name = "input guard"
    delay = 0

    def __init__(self, hop: int) -> None:
        self.clipped = 0
        """Number of samples above full scale, or not finite, since the start."""
        self._out = np.zeros(hop, np.float32)
        self._wrong = np.zeros(hop, np.bool_)

    def step(self, audio: Samples) -> Samples:
        """Return ``[hop]`` within ±1."""
        if stays_within(audio, 1.0):
            return audio
        np.abs(audio, out=self._out)
        np.less_equal(self._out, 1.0, out=self._wrong)
        self.clipped += audio.shape[0] - int(np.count_nonzero(self._wrong))
        np.isnan(audio, out=self._wrong)
        np.clip(audio, -1.0, 1.0, out=self._out)
        np.copyto(self._out, 0.0, where=self._wrong)
        return self._out

    def reset(self) -> None:
        """Do nothing: the only state is the count, which continues."""
