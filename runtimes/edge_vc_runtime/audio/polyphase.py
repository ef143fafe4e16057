"""A resampler for live audio: returns every block at once, with 1.5 ms delay, with numpy alone.

soxr's streams wait for large blocks: between 48 and 16 kHz their output is delayed by 6 to 36 ms,
which does not matter for files but does for live audio.
"""

from __future__ import annotations

from math import ceil, gcd

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from edge_vc_runtime.audio.error import AudioIOError
from edge_vc_runtime.samples import Samples

_CROSSINGS = 24  # zero crossings of the sinc on each side, at the lower of the two rates
_ROLLOFF = 0.92  # cutoff relative to half the lower rate: -0.5 dB at 6.9 kHz of 8
_BETA = 8.0  # Kaiser window: images and aliases are 80 dB down from 8.6 kHz on
_MAX_PHASES = 1000


class PolyphaseResampler:
    """Streams mono blocks from one rate to another with a windowed sinc; equal rates pass.

    Output sample ``n`` is at time ``n / to_rate``, exactly aligned with the input. Raises
    `AudioIOError` for rates without a small integer ratio, such as 44101 and 16000 Hz.
    """

    def __init__(self, from_rate: int, to_rate: int) -> None:
        common = gcd(from_rate, to_rate)
        self.from_rate, self.to_rate = from_rate, to_rate
        self._up, self._down = to_rate // common, from_rate // common
        if self._up > _MAX_PHASES:
            raise AudioIOError(
                f"{from_rate} Hz cannot become {to_rate} Hz live: give a common rate, "
                "such as 44100 or 48000 Hz"
            )
        self._half = half_length(from_rate, to_rate)
        self._bank = polyphase_filters(self._up, self._down, self._half)
        self.reset()

    @property
    def delay_ms(self) -> float:
        """Time in ms that an output sample waits for the input samples after it."""
        return 0.0 if self._up == self._down else self._half / self.from_rate * 1000

    def reset(self) -> None:
        """Reset to silence."""
        self._given = 0
        # The first window reaches before the first sample; the buffer starts there.
        self._buffer: Samples = np.zeros(self._half - 1, np.float32)
        self._start = 1 - self._half

    def push(self, samples: Samples) -> Samples:
        """Take ``[T]`` and return what is ready, ``[0 or more]``."""
        if self._up == self._down:
            return samples
        buffer = np.concatenate((self._buffer, samples))
        end = self._start + buffer.shape[0]
        # Output n reads the inputs up to n * down // up + half.
        count = -(-(end - self._half) * self._up // self._down)
        times = np.arange(self._given, max(count, self._given)) * self._down
        first = times // self._up - self._half + 1 - self._start
        if not times.size:
            self._buffer = buffer
            return np.zeros(0, np.float32)
        windows = sliding_window_view(buffer, 2 * self._half)[first]
        ready: Samples = np.einsum("nt,nt->n", windows, self._bank[times % self._up])
        self._given = count
        self._keep(buffer)
        return ready

    def _keep(self, buffer: Samples) -> None:
        """Keep what the next output needs; shift the time origin so that numbers stay small."""
        if self._given >= self._up:
            periods = self._given // self._up
            self._given -= periods * self._up
            self._start -= periods * self._down
        drop = self._given * self._down // self._up - self._half + 1 - self._start
        self._buffer = buffer[max(drop, 0) :].copy()
        self._start += max(drop, 0)


def half_length(from_rate: int, to_rate: int) -> int:
    """Return the number of input samples that a filter covers on each side of an output sample."""
    return ceil(_CROSSINGS * max(1.0, from_rate / to_rate))


def polyphase_filters(up: int, down: int, half: int) -> Samples:
    """Return one filter per phase, ``[up, 2 * half]``, each with gain 1 at 0 Hz."""
    return sinc_filters(np.arange(up) / up, min(1.0, up / down), half)


def sinc_filters(phases: NDArray[np.floating], bandwidth: float, half: int) -> Samples:
    """Return the filters of outputs that are ``phases`` input samples after an input sample.

    ``bandwidth`` is the lower rate divided by the input rate; the result is ``[phases, 2 * half]``.
    """
    offset = np.arange(1 - half, half + 1) - phases[:, None]
    inside = np.clip(1.0 - (offset / half) ** 2, 0.0, None)
    bank = np.sinc(_ROLLOFF * bandwidth * offset) * np.i0(_BETA * np.sqrt(inside))
    return np.asarray(bank / bank.sum(axis=1, keepdims=True), np.float32)
