"""Measures a teacher's delay by cross-correlating band energies of its input and output."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import librosa
import numpy as np
from numpy.typing import NDArray
from scipy.signal import correlate

from edge_vc.audio.features import stft_blocks
from edge_vc.audio.io import AudioError, Samples

MAX_DELAY_MS = 500.0
"""Delays are searched up to this, in both directions."""
SURE = 0.5
"""Correlation from which an estimate is trusted."""
SPREAD_MS = 5.0
"""Median deviation of delays between recordings above which a teacher has no common delay."""
NEGLIGIBLE_MS = 3.0
"""Below this an estimate counts as no delay: onsets of two voices differ by as much."""

DRIFT_MS = 6.0
"""Range of delays between pieces above which an output drifts; with one delay it is within 1."""
PIECE_SECONDS = 3.0
"""Duration of the pieces that drift is measured on; a third of recordings below nine seconds."""
_PIECES = 5
"""With fewer trusted pieces than this, drift is unknown."""

_FRAME_MS = 2.5
_BANDS = 16
_RANGE_DB = 45.0


@dataclass(frozen=True)
class DelayEstimate:
    """How much later the output is than the input."""

    ms: float
    """Negative if the output is early."""
    correlation: float
    """Of the band energies at that delay: 1 for identical ones, 0 without speech."""

    @property
    def sure(self) -> bool:
        """Whether the contours are similar enough to trust it."""
        return self.correlation >= SURE


def estimate_delay(source: Samples, output: Samples, sample_rate: int) -> DelayEstimate:
    """Estimate the delay of ``output`` ``[T']`` behind ``source`` ``[T]``, both at one rate.

    Waveforms of two voices do not correlate, but the energies of their mel bands do: each band in
    dB, minus its mean, is correlated over all lags up to `MAX_DELAY_MS`, and the bands are summed.
    A parabola through the maximum resolves fractions of a 2.5 ms frame. Silence correlates by 0.
    """
    source_bands, output_bands = _contours(source, sample_rate), _contours(output, sample_rate)
    power = float(np.sqrt(np.square(source_bands).sum() * np.square(output_bands).sum()))
    if power == 0:
        return DelayEstimate(0.0, 0.0)
    bands = zip(output_bands, source_bands, strict=True)
    by_lag = sum(correlate(g, h, mode="full", method="fft") for g, h in bands) / power
    centre = source_bands.shape[1] - 1
    reach = round(MAX_DELAY_MS / _FRAME_MS)
    first = max(0, centre - reach)
    by_lag = by_lag[first : centre + reach + 1]
    best = int(np.argmax(by_lag))
    lag = first + best + _vertex(by_lag, best) - centre
    return DelayEstimate(float(lag * _FRAME_MS), float(by_lag[best]))


def band_correlation(source: Samples, output: Samples, sample_rate: int) -> float:
    """Return the correlation of band energies at delay 0: 1 for identical ones, 0 for silence."""
    source_bands, output_bands = _contours(source, sample_rate), _contours(output, sample_rate)
    power = float(np.sqrt(np.square(source_bands).sum() * np.square(output_bands).sum()))
    return float((source_bands * output_bands).sum()) / power if power else 0.0


def common_delay_ms(delays: Sequence[DelayEstimate]) -> float | None:
    """Return a teacher's delay from estimates on several recordings.

    This is the median of the trusted ones, 0 if it is negligible; None if none is trusted or they
    disagree, so that each recording has to use its own.
    """
    sure = np.array([delay.ms for delay in delays if delay.sure])
    if not sure.size:
        return None
    median = float(np.median(sure))
    if float(np.median(np.abs(sure - median))) > SPREAD_MS:
        return None
    return 0.0 if abs(median) < NEGLIGIBLE_MS else median


def delay_to_undo(own: DelayEstimate, common_ms: float | None) -> float:
    """Return the delay in ms to correct in one recording.

    Its own estimate is used if it is trusted and differs by more than the usual spread.
    """
    reference = 0.0 if common_ms is None else common_ms
    if not own.sure:
        return reference
    if common_ms is None:
        return own.ms if abs(own.ms) >= NEGLIGIBLE_MS else 0.0
    return own.ms if abs(own.ms - common_ms) > 2 * SPREAD_MS else common_ms


def drift_ms(source: Samples, output: Samples, sample_rate: int) -> float:
    """Return the range of delays between pieces of ``output`` ``[T]``, in ms; 0 if unknown.

    ``source`` and ``output`` are aligned as a whole. Pieces overlap by half; each trusted delay is
    replaced by the median of three neighbours, so that one wrong estimate does not count as drift.
    """
    piece = round(min(PIECE_SECONDS, len(source) / sample_rate / 3) * sample_rate)
    if piece < sample_rate:
        return 0.0
    estimates = [
        estimate_delay(source[start : start + piece], output[start : start + piece], sample_rate)
        for start in range(0, len(source) - piece + 1, piece // 2)
    ]
    delays = np.array([estimate.ms for estimate in estimates if estimate.sure])
    if len(delays) < _PIECES:
        return 0.0
    smooth = np.median(np.lib.stride_tricks.sliding_window_view(delays, 3), axis=1)
    return float(smooth.max() - smooth.min())


def undo_delay(source: Samples, output: Samples, delay: int) -> tuple[Samples, Samples]:
    """Move ``output`` ``[T]`` ``delay`` samples earlier (later if negative) relative to ``source``.

    Both lose the samples at the end (or start) that the other lacks: ``[T - |delay|]``.
    """
    length = len(source) - abs(delay)
    if length <= 0:
        raise AudioError(f"an output {delay} samples late leaves nothing of {len(source)}")
    late, early = max(0, delay), max(0, -delay)
    return source[early : early + length], output[late : late + length]


def _contours(samples: Samples, sample_rate: int) -> NDArray[np.float64]:
    """Return mel-band energies in dB minus their means, ``[bands, frames]``; zeros for silence."""
    window, hop = round(0.02 * sample_rate), round(_FRAME_MS / 1000 * sample_rate)
    top = min(5000.0, sample_rate / 2)
    bank = librosa.filters.mel(sr=sample_rate, n_fft=window, n_mels=_BANDS, fmin=100, fmax=top)
    energy = np.concatenate(
        [bank @ np.square(np.abs(part)) for part in stft_blocks(samples, window, hop)], axis=1
    )
    loud = energy.max(axis=1, keepdims=True)
    if float(loud.max()) <= 0:
        return np.zeros(energy.shape)
    # Quiet parts are cut off together: the noise in a pause carries no timing information.
    floor = np.maximum(loud, loud.max() * 1e-3) * 10 ** (-_RANGE_DB / 10)
    decibels = 10 * np.log10(np.maximum(energy, floor))
    contours: NDArray[np.float64] = decibels - decibels.mean(axis=1, keepdims=True)
    return contours


def _vertex(values: NDArray[np.float64], index: int) -> float:
    """Return the offset of the maximum of the parabola through three values, -0.5 to 0.5."""
    if not 0 < index < len(values) - 1:
        return 0.0
    left, middle, right = values[index - 1 : index + 2]
    curvature = left - 2 * middle + right
    return float(0.5 * (left - right) / curvature) if curvature < 0 else 0.0
