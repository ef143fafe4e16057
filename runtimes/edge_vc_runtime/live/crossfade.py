"""A crossfade of constant loudness, regardless of the similarity of the two sounds."""

from __future__ import annotations

import math

import numpy as np

from edge_vc_runtime.samples import Samples

_LEAST_ALIKE = -0.6
"""Lower limit for correlations: a gain that compensated full cancellation would be infinite."""


class Crossfade:
    """Fades from one sound to another over whole hops.

    Gains that add up to 1 suit identical sounds but give a dip of 3 dB between uncorrelated ones;
    two students' voices are in between, and vary from hop to hop. So the correlation of every hop
    is measured, and the sum is scaled to their common power.
    """

    def __init__(self, hop: int, hops: int) -> None:
        """Set the samples per hop and the length of the fade in hops."""
        self.hops = hops
        self.done = True
        times = (np.arange(hop * hops, dtype=np.float32) + 0.5) / (hop * hops)
        self._in = (0.5 - 0.5 * np.cos(np.pi * times)).reshape(hops, hop).astype(np.float32)
        self._out = 1 - self._in
        self._squares = self._in**2 + self._out**2
        self._products = 2 * self._in * self._out
        self._ramp = (np.arange(1, hop + 1) / hop).astype(np.float32)
        self._gain = np.zeros(hop, np.float32)
        self._part = np.zeros(hop, np.float32)
        self._index = 0
        self._alike = 0.0

    def start(self) -> None:
        """Begin a fade with the next hop."""
        self.done = False
        self._index = 0

    def mix(self, going: Samples, coming: Samples, out: Samples) -> None:
        """Write the fade's next hop into ``out`` ``[hop]``, which may be one of the two."""
        alike = correlation(going, coming)
        before = self._alike if self._index else alike
        self._alike = alike
        gain, part = self._gain, self._part
        # The correlation is interpolated within the hop, so the gain has no step between hops.
        np.multiply(self._ramp, alike - before, out=gain)
        gain += before
        gain *= self._products[self._index]
        gain += self._squares[self._index]
        np.sqrt(gain, out=gain)
        np.multiply(going, self._out[self._index], out=part)
        np.multiply(coming, self._in[self._index], out=out)
        out += part
        out /= gain
        self._index += 1
        self.done = self._index == self.hops


def correlation(a: Samples, b: Samples) -> float:
    """Return the normalised correlation of two hops, `_LEAST_ALIKE` to 1; 0 for silence."""
    power = float(a.dot(a)) * float(b.dot(b))
    if not (math.isfinite(power) and power > 0):
        return 0.0
    return min(max(float(a.dot(b)) / math.sqrt(power), _LEAST_ALIKE), 1.0)
