"""Light denoising of stationary room noise, for recordings that a network will imitate."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import uniform_filter
from scipy.signal import istft, stft

Audio = NDArray[np.float32]


def denoise(
    audio: Audio, sample_rate: int, *, floor_db: float = -15.0, oversubtract: float = 1.5
) -> Audio:
    """Attenuate stationary noise by at most ``-floor_db`` dB; same length ``[T]``.

    A Wiener-like gain against the noise spectrum of the quietest tenth of the frames (Lim and
    Oppenheim 1979), smoothed over time and frequency so that no musical noise is left.
    ``oversubtract`` scales that noise. Audio shorter than a window, 32 ms, is left as it is.
    """
    window = int(0.032 * sample_rate)
    if len(audio) < window:
        return audio.astype(np.float32)
    _, _, spectrum = stft(audio, sample_rate, nperseg=window, noverlap=window * 3 // 4)
    power = np.abs(spectrum) ** 2
    loudness = power.mean(0)
    quiet = loudness <= np.quantile(loudness, 0.1)
    noise = power[:, quiet].mean(1, keepdims=True) * oversubtract
    smooth = uniform_filter(power, (3, 5))
    gain = np.maximum(1 - noise / np.maximum(smooth, 1e-12), 10 ** (floor_db / 20))
    gain = uniform_filter(gain, (3, 3))
    _, clean = istft(spectrum * gain, sample_rate, nperseg=window, noverlap=window * 3 // 4)
    padded = np.zeros(len(audio), np.float32)
    n = min(len(audio), len(clean))
    padded[:n] = clean[:n]
    return padded
