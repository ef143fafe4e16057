"""Reads a signal between its samples, at a different speed than it was recorded."""

from __future__ import annotations

import numpy as np

from edge_vc_runtime.chain.history import SampleHistory
from edge_vc_runtime.samples import Samples

TAPS = 16
_PHASES = 128


class SincReader:
    """Windowed-sinc interpolation from a table; reading faster lowers the cut-off."""

    def __init__(self, longest: int) -> None:
        """``longest`` is the maximum number of samples read per call."""
        self._steps = np.arange(longest, dtype=np.float64)
        self._taps = np.arange(TAPS)
        self._ratio = 0.0
        self._table: Samples = np.zeros((_PHASES + 1, TAPS), np.float32)

    def set_ratio(self, ratio: float) -> None:
        """Prepare for a speed; computes a table of 129 kernels if it has changed."""
        if ratio == self._ratio:
            return
        self._ratio = ratio
        cutoff = 0.95 * min(1.0, 1.0 / ratio)
        phase = np.arange(_PHASES + 1)[:, None] / _PHASES
        place = self._taps - (TAPS // 2 - 1) - phase
        window = np.cos(np.pi * place / (TAPS + 1)) ** 2
        kernel = np.sinc(cutoff * place) * window
        self._table = (kernel / kernel.sum(1, keepdims=True)).astype(np.float32)

    def read(self, past: SampleHistory, lag: float, ratio: float, out: Samples) -> Samples:
        """Fill ``out [n]``, starting ``lag`` samples before the end of the newest sample."""
        count = out.shape[0]
        lag = max(lag, float(TAPS))  # less is not available yet, if the speed has just increased
        start = int(np.ceil(lag)) + TAPS // 2
        span = int(np.ceil(ratio * count)) + TAPS + 2
        samples = past.last(min(span, start), max(0, start - span))
        place = self._steps[:count] * ratio + (start - lag)
        np.minimum(place, samples.shape[0] - TAPS // 2 - 1, out=place)
        whole = place.astype(np.int64)
        phase = np.rint((place - whole) * _PHASES).astype(np.int64)
        windows = samples[(whole - (TAPS // 2 - 1))[:, None] + self._taps]
        return np.einsum("ij,ij->i", windows, self._table[phase], out=out)
