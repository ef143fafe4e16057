"""Fundamental frequency and voicing, one value per frame, by WORLD's DIO and StoneMask.

DIO (Morise, Kawahara, Katayose 2009) refined by StoneMask costs a fortieth of Harvest and calls
fewer noisy pauses voiced; what it misses in noise the interpolated contour bridges.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edge_vc.audio.io import AudioError, Samples

with warnings.catch_warnings():
    # pyworld asks pkg_resources for its own version, which warns.
    warnings.simplefilter("ignore")
    import pyworld

Contour = NDArray[np.float32]


@dataclass(frozen=True)
class Pitch:
    """F0 of a recording; frame ``n`` is centred on sample ``n * hop``."""

    f0: Contour
    """``[frames]`` in Hz, 0 where unvoiced."""
    log_f0: Contour
    """``[frames]`` natural logarithm of Hz, interpolated through unvoiced frames."""
    hop: int
    """Samples from frame to frame."""

    @property
    def voiced(self) -> NDArray[np.bool_]:
        """``[frames]``: whether the vocal folds vibrate."""
        voiced: NDArray[np.bool_] = self.f0 > 0
        return voiced

    @property
    def median(self) -> float:
        """Median F0 in Hz over voiced frames; 0.0 when no frame is voiced."""
        return float(np.median(self.f0[self.voiced])) if self.voiced.any() else 0.0


def track_pitch(
    samples: Samples,
    sample_rate: int,
    hop: int,
    lowest: float = 60.0,
    highest: float = 600.0,
) -> Pitch:
    """Track F0 in ``[T]``: ``T // hop + 1`` frames, frame ``n`` centred on sample ``n * hop``.

    Two passes: the second searches within an octave of the first one's median only, which
    removes octave errors. ``lowest`` and ``highest`` are in Hz.
    """
    frames = samples.shape[0] // hop + 1
    signal = np.ascontiguousarray(samples, dtype=np.float64)
    if not np.isfinite(signal).all():
        raise AudioError("pitch tracking needs finite samples; the audio holds NaN or infinity")
    if np.ptp(signal) == 0.0 or samples.shape[0] < 2 * sample_rate / lowest:
        return _as_pitch(np.zeros(frames), hop, lowest)
    f0 = _dio(signal, sample_rate, hop, lowest, highest)
    if (f0 > 0).any():
        median = float(np.median(f0[f0 > 0]))
        f0 = _dio(signal, sample_rate, hop, max(lowest, median / 2), min(highest, median * 2))
    return _as_pitch(_fit_length(f0, frames), hop, lowest)


def interpolate_log_f0(f0: NDArray[np.floating], unvoiced_hz: float = 100.0) -> Contour:
    """Return natural log-F0 ``[frames]`` without gaps: linear between voiced frames, held outside.

    ``f0`` is in Hz with 0 for unvoiced; when all of it is, ``log(unvoiced_hz)`` stands in.
    """
    voiced = np.flatnonzero(f0 > 0)
    if not voiced.size:
        return np.full(f0.shape, np.log(unvoiced_hz), dtype=np.float32)
    frames = np.arange(f0.shape[0])
    return np.interp(frames, voiced, np.log(f0[voiced])).astype(np.float32)


def _as_pitch(f0: NDArray[np.float64], hop: int, lowest: float) -> Pitch:
    return Pitch(f0.astype(np.float32), interpolate_log_f0(f0, unvoiced_hz=lowest), hop)


def _dio(
    signal: NDArray[np.float64], sample_rate: int, hop: int, lowest: float, highest: float
) -> NDArray[np.float64]:
    coarse, times = pyworld.dio(
        signal,
        sample_rate,
        f0_floor=lowest,
        f0_ceil=highest,
        channels_in_octave=4.0,
        frame_period=1000.0 * hop / sample_rate,
    )
    refined: NDArray[np.float64] = pyworld.stonemask(signal, coarse, times, sample_rate)
    # StoneMask may refine across the search range; such a frame is not trusted.
    refined[(refined < lowest * 0.9) | (refined > highest * 1.1)] = 0.0
    return refined


def _fit_length(f0: NDArray[np.float64], frames: int) -> NDArray[np.float64]:
    """Pad or cut the last frame that WORLD's float arithmetic may add or drop."""
    return np.pad(f0[:frames], (0, max(0, frames - f0.shape[0])))
