"""Attenuates stationary noise in front of the model.

A Wiener filter per frequency (decision-directed as in Ephraim and Malah 1984) with a noise floor
from minimum statistics, applied as a short linear-phase filter in the time domain (Vary 2006),
which delays by 2 ms instead of a whole window.
"""

from __future__ import annotations

import math

import numpy as np

from edge_vc_runtime.chain.history import SampleHistory
from edge_vc_runtime.chain.noise_floor import NoiseFloor
from edge_vc_runtime.chain.parameters import Parameters
from edge_vc_runtime.chain.ramp import GainRamp
from edge_vc_runtime.samples import Samples

_WINDOW_MS = 32.0
_EVERY_MS = 8.0  # interval between gain updates; shorter hops share them
_DELAY_MS = 2.0
_LOWEST_GAIN = 0.18  # -15 dB
_BIAS = 2.0  # with this smoothing, the minimum of noise is 3 dB below its mean
_MEMORY = 0.7
_TINY = np.float32(1e-14)


class NoiseReduction:
    """Attenuates stationary noise by at most 15 dB; if off, the input passes unchanged."""

    name = "noise reduction"

    def __init__(self, sample_rate: int, hop: int, parameters: Parameters) -> None:
        self._parameters = parameters
        self._half = round(_DELAY_MS / 1000 * sample_rate)
        self._window_length = 1 << round(math.log2(_WINDOW_MS / 1000 * sample_rate))
        bands = self._window_length // 2 + 1
        self._hops = max(1, round(_EVERY_MS / 1000 * sample_rate / hop))
        self._history = SampleHistory(max(self._window_length, 2 * self._half + hop), hop)
        self._window = _late_window(self._window_length)
        self._taper = np.hanning(2 * self._half + 3)[1:-1].astype(np.float32)
        self._noise = NoiseFloor(bands, self._hops * hop / sample_rate)
        self._gains = np.ones(bands, np.float32)
        self._kept = np.zeros(bands, np.float32)
        self._kernel = np.zeros(2 * self._half + 1, np.float32)
        slope = np.arange(1, hop + 1) / min(hop, 2 * self._half)
        self._slope: Samples = np.minimum(slope, 1.0).astype(np.float32)
        self._wet = GainRamp(hop, sample_rate, 0.0)
        self._hop = hop
        self._kernel[self._half] = 1.0
        self._pending = 0

    @property
    def delay(self) -> int:
        """2 ms in samples, 0 while off."""
        return self._half if self._parameters["noise_reduction"] else 0

    def step(self, audio: Samples) -> Samples:
        """Attenuate the noise in ``[hop]``."""
        self._history.push(audio)
        on = bool(self._parameters["noise_reduction"])
        if not on and self._wet.value == 0.0:
            return audio
        past = self._history.last(self._hop + 2 * self._half)
        out: Samples = np.convolve(past, self._kernel, "valid")
        self._pending += 1
        if self._pending >= self._hops:
            self._pending = 0
            self._update()
            out += self._slope * (np.convolve(past, self._kernel, "valid") - out)
        line = self._wet.advance(float(on))
        return out if line is None else audio + line * (out - audio)

    def _update(self) -> None:
        """Compute the filter from the last window."""
        window = self._history.last(self._window_length) * self._window
        spectrum = np.fft.rfft(window)
        power = (spectrum.real**2 + spectrum.imag**2).astype(np.float32) + _TINY
        noise = self._noise.update(power) * _BIAS
        ratio = power / noise
        # The last frame's speech, and the part of this one that exceeds the noise.
        prior = _MEMORY * self._kept + (1 - _MEMORY) * np.maximum(ratio - 1, 0)
        np.maximum(prior / (1 + prior), _LOWEST_GAIN, out=self._gains)
        self._kept = self._gains**2 * ratio
        response = np.fft.irfft(self._gains)
        self._kernel[self._half :] = response[: self._half + 1]
        self._kernel[: self._half] = response[self._half : 0 : -1]
        self._kernel *= self._taper

    def reset(self) -> None:
        """Clear the noise estimate and the history."""
        self._history.clear()
        self._noise.reset()
        self._wet.reset()
        self._kept.fill(0.0)
        self._kernel.fill(0.0)
        self._kernel[self._half] = 1.0
        self._pending = 0


def _late_window(length: int) -> Samples:
    """Return a window that peaks at seven eighths, so that word onsets have an immediate effect."""
    fall = length // 8
    rise = length - fall
    up = np.sin(np.pi / 2 * (np.arange(rise) + 0.5) / rise) ** 2
    down = np.cos(np.pi / 2 * (np.arange(fall) + 0.5) / fall) ** 2
    return np.concatenate([up, down]).astype(np.float32)
