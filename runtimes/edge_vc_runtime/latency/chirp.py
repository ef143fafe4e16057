"""A chirp and its detection in a recording, despite noise, echoes, clipping and clock drift."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from edge_vc_runtime.latency.detection import Detection, correlate, refine_peak, window_norms
from edge_vc_runtime.samples import Samples

SECONDS = 0.25
_LOWEST_HZ, _HIGHEST_HZ = 300.0, 6000.0  # passed by telephone-grade microphones and speakers
_TAPER_S = 0.01
_PEAK = 0.5
# The correlation of noise is Rayleigh distributed: a peak of 8 times its RMS is never by chance.
_LEAST_RATIO = 8.0
# Short loud tones, clicks and speech correlate with the chirp by 0.1 at most.
_LEAST_SIMILARITY = 0.15
# The direct path may be weaker than an echo, but not by more than this.
_DIRECT_SHARE = 0.5


def chirp(sample_rate: int) -> Samples:
    """Return ``[T]``: a logarithmic sweep of 0.25 s from 300 to 6000 Hz, or as far as the rate
    permits, at half of full scale."""
    return np.ascontiguousarray(_sweep(sample_rate).real, np.float32)


def find_chirp(recording: Samples, sample_rate: int) -> Detection | None:
    """Find the first arrival of `chirp` in ``[T]``; None if it is not detected with certainty.

    The phase of the sweep is not used, so inverted polarity and a loudspeaker's phase response do
    not matter.
    """
    template = _sweep(sample_rate)
    length = template.shape[0]
    if recording.shape[0] < length or not np.isfinite(recording).all():
        return None
    audio = recording.astype(np.float64)
    peaks = np.abs(correlate(audio, template))
    strongest = int(peaks.argmax())
    floor = _floor(peaks, strongest, int(0.05 * sample_rate))
    # Real audio against the analytic sweep: half of the sweep's energy is in the imaginary part.
    norm = float(np.linalg.norm(template.real))
    loud = np.maximum(window_norms(audio, length), 1e-9)
    first = _first_arrival(peaks, strongest, int(0.1 * sample_rate))
    similarity = float(peaks[first] / (loud[first] * norm))
    ratio = float(peaks[strongest] / max(floor, 1e-12))
    if ratio < _LEAST_RATIO or similarity < _LEAST_SIMILARITY:
        return None
    return Detection(refine_peak(peaks, first), min(similarity, 1.0), ratio)


def _sweep(sample_rate: int) -> NDArray[np.complex128]:
    """Return the analytic sweep; its real part is played."""
    count = int(SECONDS * sample_rate)
    time = np.arange(count) / sample_rate
    highest = min(_HIGHEST_HZ, 0.45 * sample_rate)
    growth = np.log(highest / _LOWEST_HZ)
    phase = 2 * np.pi * _LOWEST_HZ * SECONDS / growth * np.expm1(growth * time / SECONDS)
    taper = int(_TAPER_S * sample_rate)
    window = np.ones(count)
    window[:taper] = 0.5 - 0.5 * np.cos(np.pi * np.arange(taper) / taper)
    window[count - taper :] = window[:taper][::-1]
    sweep: NDArray[np.complex128] = _PEAK * window * np.exp(1j * phase)
    return sweep


def _floor(peaks: NDArray[np.floating], strongest: int, guard: int) -> float:
    """Return the RMS of the correlation away from its peak."""
    rest = np.concatenate([peaks[: max(strongest - guard, 0)], peaks[strongest + guard :]])
    return float(np.sqrt(np.mean(rest**2))) if rest.size else 0.0


def _first_arrival(peaks: NDArray[np.floating], strongest: int, reach: int) -> int:
    """Return the first local peak within ``reach`` before the strongest that is half as high."""
    start = max(strongest - reach, 1)
    if strongest <= start:
        return strongest
    here = peaks[start:strongest]
    local = (here >= peaks[start - 1 : strongest - 1]) & (here > peaks[start + 1 : strongest + 1])
    early = np.flatnonzero(local & (here >= _DIRECT_SHARE * peaks[strongest]))
    return start + int(early[0]) if early.size else strongest
