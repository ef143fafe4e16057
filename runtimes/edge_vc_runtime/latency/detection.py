"""Position of a test signal in a recording, and its confidence."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Detection:
    """A test signal in a recording."""

    position: float
    """First sample of the signal in the recording, with a fraction."""
    similarity: float
    """Correlation with the signal at that position, 0 to 1: noise and distortion lower it."""
    peak_ratio: float
    """Correlation peak relative to the floor away from the peak: the confidence."""


def correlate(
    recording: NDArray[np.floating], template: NDArray[np.generic]
) -> NDArray[np.generic]:
    """Return the correlation at every start, ``[T - N + 1]``, for ``[T]`` and ``[N]``."""
    count = recording.shape[0] - template.shape[0] + 1
    size = 1 << (recording.shape[0] + template.shape[0]).bit_length()
    spectrum = np.fft.fft(recording, size) * np.conj(np.fft.fft(template, size))
    found = np.fft.ifft(spectrum)[:count]
    return found if np.iscomplexobj(template) else found.real


def window_norms(recording: NDArray[np.floating], length: int) -> NDArray[np.float64]:
    """Return the norm of every window of ``length`` samples, ``[T - length + 1]``."""
    sums = np.concatenate([[0.0], np.cumsum(np.asarray(recording, np.float64) ** 2)])
    norms: NDArray[np.float64] = np.sqrt(np.maximum(sums[length:] - sums[:-length], 0.0))
    return norms


def refine_peak(values: NDArray[np.floating], index: int) -> float:
    """Return the fractional position of a peak, from a parabola through three samples."""
    if not 0 < index < values.shape[0] - 1:
        return float(index)
    before, here, after = (float(value) for value in values[index - 1 : index + 2])
    bend = before - 2 * here + after
    return index + (0.5 * (before - after) / bend if bend < 0 else 0.0)
