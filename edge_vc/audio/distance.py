"""Distances between signals of the same length: INT8 and fp32, student and teacher."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

LARGEST_SNR_DB = 200.0
"""Limit of ratios that would be infinite: equal signals, a silent reference."""


def snr_db(reference: ArrayLike, estimate: ArrayLike) -> float:
    """Return the power of the reference over that of the difference, in dB, for any shape.

    The result is 200 for equal signals, -200 if only the reference is silent.
    """
    signal, other = _pair(reference, estimate)
    power, error = float(np.square(signal).sum()), float(np.square(signal - other).sum())
    if error == 0.0:
        return LARGEST_SNR_DB
    ratio = 10 * np.log10(max(power, 1e-30) / error)
    return float(np.clip(ratio, -LARGEST_SNR_DB, LARGEST_SNR_DB))


def log_spectral_distance(
    reference: ArrayLike,
    estimate: ArrayLike,
    sample_rate: int,
    window_ms: float = 32.0,
    range_db: float = 80.0,
) -> float:
    """Return the log-spectral distance of ``[T]`` and ``[T]`` in dB (Gray and Markel 1976).

    Per frame the root mean square over frequency of the difference of the power spectra in
    dB, then the mean over frames; frames overlap by three quarters. Levels more than
    ``range_db`` below the reference's loudest bin are raised to that floor, since differences
    below it are inaudible.
    """
    signal, other = _pair(reference, estimate)
    window = round(window_ms * sample_rate / 1000)
    first, second = _power(signal, window), _power(other, window)
    floor = max(float(first.max()) * 10 ** (-range_db / 10), 1e-12)
    difference = 10 * (np.log10(np.maximum(first, floor)) - np.log10(np.maximum(second, floor)))
    return float(np.sqrt(np.square(difference).mean(axis=1)).mean())


def _pair(
    reference: ArrayLike, estimate: ArrayLike
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return both signals as arrays, from arrays or tensors; raise `ValueError` on a mismatch."""
    first, second = np.asarray(reference, np.float64), np.asarray(estimate, np.float64)
    if first.shape != second.shape or not first.size:
        raise ValueError(
            f"signals to compare must have the same shape, got {list(first.shape)} and "
            f"{list(second.shape)}: align and cut them first"
        )
    return first, second


def _power(signal: NDArray[np.float64], window: int) -> NDArray[np.float64]:
    """Return power spectra ``[frames, bins]`` of Hann windows."""
    padded = np.pad(signal, (window // 2, window))
    frames = np.lib.stride_tricks.sliding_window_view(padded, window)[:: max(1, window // 4)]
    power: NDArray[np.float64] = np.square(np.abs(np.fft.rfft(frames * np.hanning(window))))
    return power
