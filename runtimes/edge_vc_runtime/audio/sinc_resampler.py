"""Resampling for live audio: about one millisecond of delay, no bursts, a variable ratio.

soxr's streams are made for files: at a fixed ratio they return blocks of up to 37 ms, at a
variable one they buffer 12 to 15 ms. Here each push returns all samples that it completes.

Every output sample is the product of a windowed sinc with the input around it (Smith and Gossett,
"A flexible sampling-rate conversion method", 1984); the filter is tabulated for fractions of an
input sample.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from edge_vc_runtime.samples import Samples

MOST_PPM = 2000.0
"""Largest correction of the ratio that `SincResampler.set_ppm` accepts."""
_CROSSINGS = 16
"""Zero crossings of the sinc on each side, at the lower of the two rates."""
_CUTOFF = 0.95
"""The filter's -6 dB point, relative to the lower rate's Nyquist frequency."""
_BETA = 6.5  # of the Kaiser window: images and aliases 65 dB down
_FRACTIONS = 2048  # per period of the lower rate: rounding to one is 85 dB below a 1 kHz tone


class SincResampler:
    """Streams mono float32 from one rate to another, in preallocated buffers."""

    def __init__(self, from_rate: int, to_rate: int, longest: int = 4096) -> None:
        """Set both rates in Hz; a push of more than ``longest`` samples is a `ValueError`."""
        if from_rate < 1 or to_rate < 1:
            raise ValueError(f"rates are {from_rate} and {to_rate} Hz, they have to be positive")
        self.from_rate = from_rate
        self.to_rate = to_rate
        self._table = _filters(from_rate, to_rate)
        taps = self._table.shape[1]
        self._ratio = from_rate / to_rate
        self._step = self._ratio
        """Input samples per output sample."""
        self._place = 0.0
        """Start of the next output's window, in samples from the beginning of the buffer."""
        self._held = taps - 1
        self._longest = longest
        self._buffer = np.zeros(2 * taps + longest, np.float32)
        self._windows = sliding_window_view(self._buffer, taps)
        most = math.ceil((longest + taps) / self._ratio * (1 + MOST_PPM * 1e-6)) + 2
        self._counts = np.arange(most, dtype=np.float64)
        self._positions = np.empty(most, np.float64)
        self._starts = np.empty(most, np.int64)
        self._rows = np.empty(most, np.int64)
        self._inputs = np.empty((most, taps), np.float32)
        self._filters = np.empty((most, taps), np.float32)
        self._output = np.empty(most, np.float32)

    @property
    def delay_ms(self) -> float:
        """Delay in ms: half the filter length."""
        return float(self._table.shape[1] / 2 / self.from_rate * 1000)

    def set_ppm(self, ppm: float) -> None:
        """Output this many more samples per million; clamped to `MOST_PPM`."""
        bounded = min(max(ppm, -MOST_PPM), MOST_PPM)
        self._step = self._ratio / (1 + bounded * 1e-6)

    def reset(self) -> None:
        """Clear the input so far, as after silence; the correction of the ratio is kept."""
        self._buffer.fill(0.0)
        self._held = self._table.shape[1] - 1
        self._place = 0.0

    def push(self, samples: Samples) -> Samples:
        """Take ``[T]`` and return the completed samples ``[N]``, overwritten by the next push."""
        if samples.shape[0] > self._longest:
            raise ValueError(f"push takes at most {self._longest} samples, got {samples.shape[0]}")
        held = self._held + samples.shape[0]
        self._buffer[self._held : held] = samples
        taps = self._table.shape[1]
        count = max(0, math.ceil((held - taps + 1 - self._place) / self._step))
        output = self._products(count)
        self._place += count * self._step
        used = min(int(self._place), held)
        self._place -= used
        self._held = held - used
        self._buffer[: self._held] = self._buffer[used:held]
        return output

    def _products(self, count: int) -> Samples:
        """Return ``count`` samples: the filter applied at each step from the current position."""
        positions, starts = self._positions[:count], self._starts[:count]
        np.multiply(self._counts[:count], self._step, out=positions)
        positions += self._place
        np.copyto(starts, positions, casting="unsafe")
        positions -= starts
        positions *= self._table.shape[0] - 1
        np.rint(positions, out=positions)
        rows = self._rows[:count]
        np.copyto(rows, positions, casting="unsafe")
        inputs, filters = self._inputs[:count], self._filters[:count]
        np.take(self._windows, starts, axis=0, out=inputs, mode="clip")
        np.take(self._table, rows, axis=0, out=filters, mode="clip")
        output = self._output[:count]
        np.einsum("nt,nt->n", inputs, filters, out=output)
        return output


def _filters(from_rate: int, to_rate: int) -> NDArray[np.float32]:
    """Return filters ``[fractions + 1, taps]`` for windows that start between two samples."""
    scale = min(1.0, to_rate / from_rate)
    half = math.ceil(_CROSSINGS / scale)
    fractions = math.ceil(_FRACTIONS * scale)
    offsets = np.arange(fractions + 1)[:, None] / fractions
    times = np.arange(2 * half)[None, :] - (half - 1) - offsets
    cutoff = scale * (_CUTOFF if from_rate != to_rate else 1.0)
    inside = np.sqrt(np.clip(1 - (times / half) ** 2, 0, None))
    table = np.sinc(cutoff * times) * np.i0(_BETA * inside)
    return np.asarray(table / table.sum(axis=1, keepdims=True), np.float32)
