"""Whether the melody survives: F0 against the source's contour and the target's median.

The correlation of two log-F0 contours over frames voiced in both is the second measure of
Hermes (1998), "Measuring the perceptual similarity of pitch contours".
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from edge_vc.audio.io import Samples
from edge_vc.audio.pitch import Pitch, track_pitch

HOP_MS = 5
"""Milliseconds from frame to frame."""
LEAST_FRAMES = 20
"""Voiced frames that a figure needs: a tenth of a second."""


def contour(samples: Samples, sample_rate: int) -> Pitch:
    """Return F0 of ``[T]`` every 5 ms."""
    return track_pitch(samples, sample_rate, HOP_MS * sample_rate // 1000)


def f0_correlation(source: Pitch, converted: Pitch) -> float | None:
    """Return Pearson's correlation of log F0 over frames voiced in both.

    Shifting or stretching a melody on the logarithmic scale changes nothing. None where fewer
    than 20 frames are voiced in both or either is a monotone.
    """
    frames = min(source.f0.size, converted.f0.size)
    both = source.voiced[:frames] & converted.voiced[:frames]
    if np.count_nonzero(both) < LEAST_FRAMES:
        return None
    first, second = (_deviations(pitch, both) for pitch in (source, converted))
    size = float(np.linalg.norm(first) * np.linalg.norm(second))
    return float(first @ second) / size if size > 1e-9 else None


def median_f0(pitch: Pitch) -> float | None:
    """Return the median F0 in Hz; None where fewer than 20 frames are voiced."""
    return pitch.median if np.count_nonzero(pitch.voiced) >= LEAST_FRAMES else None


def shift_percent(f0_hz: float | None, target_hz: float) -> float | None:
    """Return by how much ``f0_hz`` is above (positive) or below the target's median, in percent."""
    return None if f0_hz is None else 100.0 * (f0_hz / target_hz - 1.0)


def _deviations(pitch: Pitch, chosen: NDArray[np.bool_]) -> NDArray[np.float64]:
    logs = np.log(pitch.f0[: chosen.size][chosen].astype(np.float64))
    deviations: NDArray[np.float64] = logs - logs.mean()
    return deviations
