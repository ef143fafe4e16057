"""Light denoising of stationary room noise, for recordings used as training targets.

The noise is estimated from the quietest tenth of the frames; gains are derived from it by one of
`METHODS` and smoothed over time and frequency, so that no musical noise remains.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import uniform_filter
from scipy.signal import istft, stft

from edge_vc.audio.io import AudioError

Audio = NDArray[np.float32]
Power = NDArray[np.floating]

Gain = Callable[[Power, Power, float], Power]
"""Takes smoothed power ``[bins, frames]``, noise power ``[bins, 1]`` and the smallest gain."""


def wiener_gain(power: Power, noise: Power, floor: float) -> Power:
    """Return the share of the power that is not noise (Lim and Oppenheim 1979)."""
    gain: Power = np.maximum(1 - noise / np.maximum(power, 1e-12), floor)
    return gain


def subtraction_gain(power: Power, noise: Power, floor: float) -> Power:
    """Return the square root of that share: power spectral subtraction (Berouti et al. 1979)."""
    share = np.maximum(1 - noise / np.maximum(power, 1e-12), floor**2)
    gain: Power = np.sqrt(share)
    return gain


METHODS: Mapping[str, Gain] = MappingProxyType(
    {"wiener": wiener_gain, "subtraction": subtraction_gain}
)
"""Both leave clean speech unchanged; ``wiener`` removes more noise (``benchmarks/denoise.py``)."""


def denoise(
    audio: Audio,
    sample_rate: int,
    *,
    method: str = "wiener",
    floor_db: float = -15.0,
    oversubtract: float = 1.5,
) -> Audio:
    """Attenuate stationary noise by at most ``-floor_db`` dB; same length ``[T]``.

    ``oversubtract`` scales the noise estimate. Audio shorter than a window, 32 ms, is returned
    unchanged. Raises `AudioError` for an unknown method.
    """
    if method not in METHODS:
        raise AudioError(f"denoising method {method!r} is not one of {', '.join(METHODS)}")
    window = int(0.032 * sample_rate)
    if len(audio) < window:
        return audio.astype(np.float32)
    _, _, spectrum = stft(audio, sample_rate, nperseg=window, noverlap=window * 3 // 4)
    power = np.abs(spectrum) ** 2
    noise = _noise_power(power) * oversubtract
    gain = METHODS[method](uniform_filter(power, (3, 5)), noise, 10 ** (floor_db / 20))
    gain = uniform_filter(gain, (3, 3))
    _, clean = istft(spectrum * gain, sample_rate, nperseg=window, noverlap=window * 3 // 4)
    padded = np.zeros(len(audio), np.float32)
    n = min(len(audio), len(clean))
    padded[:n] = clean[:n]
    return padded


def _noise_power(power: Power) -> Power:
    """Return the mean ``[bins, 1]`` of the quietest tenth of ``[bins, frames]``."""
    loudness = power.mean(0)
    quiet = loudness <= np.quantile(loudness, 0.1)
    noise: Power = power[:, quiet].mean(1, keepdims=True)
    return noise
