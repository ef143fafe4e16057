"""A gain that never jumps."""

from __future__ import annotations

import numpy as np

from edge_vc_runtime.samples import Samples

_SNAP = 1e-4  # an inaudible remaining difference


class GainRamp:
    """Multiplies hops by a gain that follows its target piecewise linearly.

    A change takes ``fade_ms`` if a hop is at least that long; with shorter hops the difference
    decreases by a constant share per hop, by 95 % in three times ``fade_ms``.
    """

    def __init__(self, hop: int, sample_rate: int, value: float, fade_ms: float = 10.0) -> None:
        self.value = value
        """Gain at the end of the last hop."""
        self._start = value
        fade = max(1.0, fade_ms / 1000 * sample_rate)
        self._share = min(1.0, hop / fade)
        slope = np.arange(1, hop + 1) / min(hop, fade)
        self._slope: Samples = np.minimum(slope, 1.0).astype(np.float32)
        self._line = np.empty(hop, np.float32)

    def advance(self, target: float) -> Samples | None:
        """Move towards ``target`` for one hop.

        Returns the gains ``[hop]``, or None while the gain is constant at `value`.
        """
        way = target - self.value
        if way == 0.0:
            return None
        step = way if abs(way) < _SNAP else way * self._share
        np.multiply(self._slope, step, out=self._line)
        self._line += np.float32(self.value)
        self.value = target if step == way else self.value + step
        return self._line

    def apply(self, audio: Samples, target: float, out: Samples) -> Samples:
        """Return ``audio`` times the gain: ``audio`` itself at gain 1, otherwise ``out``."""
        line = self.advance(target)
        if line is not None:
            return np.multiply(audio, line, out=out)
        if self.value == 1.0:
            return audio
        return np.multiply(audio, np.float32(self.value), out=out)

    def reset(self) -> None:
        """Return to the initial value."""
        self.value = self._start


def db_to_gain(db: float) -> float:
    """Return the amplitude factor."""
    return float(10.0 ** (db / 20.0))
