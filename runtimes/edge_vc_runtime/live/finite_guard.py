"""Replaces non-finite output by silence, so that a failed step is never played."""

from __future__ import annotations

import math

import numpy as np

from edge_vc_runtime.samples import Samples


class FiniteGuard:
    """Passes hops on; one with NaN or infinity is replaced by silence, with fades around it."""

    def __init__(self, hop: int) -> None:
        self._rise = (np.arange(1, hop + 1) / hop).astype(np.float32)
        self._fall = self._rise[::-1].copy()
        self._muted = np.zeros(hop, np.float32)
        self._last = 0.0
        self._returning = False

    def admit(self, audio: Samples, energy: float) -> Samples | None:
        """Return ``[hop]``, or None if it is not finite; ``energy`` is the sum of its squares."""
        if not math.isfinite(energy):
            return None
        if self._returning:
            self._returning = False
            np.multiply(audio, self._rise, out=self._muted)
            audio = self._muted
        self._last = float(audio[-1])
        return audio

    def silence(self) -> Samples:
        """Return the hop to play instead: a fade from the last sample to zero."""
        np.multiply(self._fall, self._last, out=self._muted)
        self._last = 0.0
        self._returning = True
        return self._muted
