"""Prosody: F0 against the source's contour and the target's median.

The correlation of two log-F0 contours over frames voiced in both is the second measure of
Hermes (1998), "Measuring the perceptual similarity of pitch contours".
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from edge_vc.audio.io import Samples
from edge_vc.audio.pitch import Pitch, track_pitch
from edge_vc.evaluate.metrics.metric import Metric
from edge_vc.evaluate.metrics.recording import Recording

HOP_MS = 5
"""Frame hop in milliseconds."""
LEAST_FRAMES = 20
"""Least number of voiced frames for a value: a tenth of a second."""


def contour(samples: Samples, sample_rate: int) -> Pitch:
    """Return F0 of ``[T]`` every 5 ms."""
    return track_pitch(samples, sample_rate, HOP_MS * sample_rate // 1000)


def f0_correlation(source: Pitch, converted: Pitch) -> float | None:
    """Return Pearson's correlation of log F0 over frames voiced in both.

    Invariant to shifting or scaling of log F0. None if fewer than 20 frames are voiced in both or
    either contour is constant.
    """
    frames = min(source.f0.size, converted.f0.size)
    both = source.voiced[:frames] & converted.voiced[:frames]
    if np.count_nonzero(both) < LEAST_FRAMES:
        return None
    first, second = (_deviations(pitch, both) for pitch in (source, converted))
    size = float(np.linalg.norm(first) * np.linalg.norm(second))
    return float(first @ second) / size if size > 1e-9 else None


def median_f0(pitch: Pitch) -> float | None:
    """Return the median F0 in Hz; None if fewer than 20 frames are voiced."""
    return pitch.median if np.count_nonzero(pitch.voiced) >= LEAST_FRAMES else None


def shift_percent(f0_hz: float | None, target_hz: float) -> float | None:
    """Return the deviation of ``f0_hz`` from the target's median in percent, positive if above."""
    return None if f0_hz is None else 100.0 * (f0_hz / target_hz - 1.0)


def _deviations(pitch: Pitch, chosen: NDArray[np.bool_]) -> NDArray[np.float64]:
    logs = np.log(pitch.f0[: chosen.size][chosen].astype(np.float64))
    deviations: NDArray[np.float64] = logs - logs.mean()
    return deviations


def pitch_of(recording: Recording) -> Pitch:
    """Return the F0 contour of a recording."""
    return contour(recording.samples, recording.sample_rate)


def correlation_with_source(recording: Recording) -> float | None:
    """Return the correlation with the source's contour; None if nothing was converted."""
    if recording.source is None:
        return None
    return f0_correlation(recording.source.get(pitch_of), recording.get(pitch_of))


def recording_f0(recording: Recording) -> float | None:
    """Return the median F0 in Hz."""
    return median_f0(recording.get(pitch_of))


def shift_from_target(recording: Recording) -> float | None:
    """Return the deviation of the median F0 from the target's in percent."""
    return shift_percent(recording_f0(recording), recording.context.target.f0_hz)


def error_from_target(recording: Recording) -> float | None:
    """Return the magnitude of `shift_from_target`."""
    shift = shift_from_target(recording)
    return None if shift is None else abs(shift)


PROSODY = (
    Metric(
        key="f0_correlation",
        title="F0 corr.",
        unit="Pearson r",
        compute=correlation_with_source,
        rank=4,
        description="Correlation of log F0 with that of the source, over frames voiced in both "
        "(Hermes 1998).",
    ),
    Metric(
        key="f0_error",
        title="F0 error",
        unit="%",
        better=-1,
        compute=error_from_target,
        digits=1,
        rank=8,
        description="Magnitude of the difference between a sentence's median F0 and the target's.",
    ),
    Metric(
        key="f0_shift",
        title="F0 shift",
        unit="%",
        better=0,
        compute=shift_from_target,
        digits=1,
        rank=5,
        description="Signed difference between a sentence's median F0 and the target's.",
    ),
    Metric(
        key="f0_hz",
        title="F0 median",
        unit="Hz",
        better=0,
        compute=recording_f0,
        digits=0,
        rank=13,
        description="Median F0 over a sentence's voiced frames.",
    ),
)
