"""How late a teacher answers: loudness contours of input and answer, cross-correlated."""

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
"""Delays are looked for up to this, in both directions."""
SURE = 0.5
"""Correlation from which an estimate is believed."""
SPREAD_MS = 5.0
"""A teacher whose recordings are further apart than this (median deviation) has no one delay."""
NEGLIGIBLE_MS = 3.0
"""Below this an estimate is not told apart from none: voices differ by as much at their onsets."""

DRIFT_MS = 6.0
"""An answer whose pieces are further apart than this drifts; those of one delay stay within 1."""
PIECE_SECONDS = 3.0
"""Of the pieces that drift is told from, a third of recordings below nine seconds."""
_PIECES = 5
"""Fewer sure pieces than this say nothing."""

_FRAME_MS = 2.5
_BANDS = 16
_RANGE_DB = 45.0


@dataclass(frozen=True)
class DelayEstimate:
    """How much later the answer is than the input."""

    ms: float
    """Negative for an answer that comes early."""
    correlation: float
    """Of the band energies at that delay, 1 for identical ones, 0 without speech."""

    @property
    def sure(self) -> bool:
        """Whether the contours are alike enough to believe it."""
        return self.correlation >= SURE


def estimate_delay(source: Samples, answer: Samples, sample_rate: int) -> DelayEstimate:
    """Estimate the delay of ``answer`` ``[T']`` behind ``source`` ``[T]``, both at one rate.

    Waveforms of two voices do not correlate, the energies of their mel bands do: each band in
    dB, less its mean, correlated over all lags up to `MAX_DELAY_MS` and summed; a parabola
    through the maximum gives parts of a frame of 2.5 ms. Silence gives correlation 0.
    """
    source_bands, answer_bands = _contours(source, sample_rate), _contours(answer, sample_rate)
    power = float(np.sqrt(np.square(source_bands).sum() * np.square(answer_bands).sum()))
    if power == 0:
        return DelayEstimate(0.0, 0.0)
    bands = zip(answer_bands, source_bands, strict=True)
    by_lag = sum(correlate(g, h, mode="full", method="fft") for g, h in bands) / power
    centre = source_bands.shape[1] - 1
    reach = round(MAX_DELAY_MS / _FRAME_MS)
    first = max(0, centre - reach)
    by_lag = by_lag[first : centre + reach + 1]
    best = int(np.argmax(by_lag))
    lag = first + best + _vertex(by_lag, best) - centre
    return DelayEstimate(float(lag * _FRAME_MS), float(by_lag[best]))


def band_correlation(source: Samples, answer: Samples, sample_rate: int) -> float:
    """Return the correlation of the band energies at delay 0: 1 for the same, 0 for silence."""
    source_bands, answer_bands = _contours(source, sample_rate), _contours(answer, sample_rate)
    power = float(np.sqrt(np.square(source_bands).sum() * np.square(answer_bands).sum()))
    return float((source_bands * answer_bands).sum()) / power if power else 0.0


def common_delay_ms(delays: Sequence[DelayEstimate]) -> float | None:
    """Return the delay that a teacher has, from estimates on several recordings.

    The median of the sure ones, 0 when it is negligible; None when none is sure or they
    disagree, so that each recording has to go by its own.
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

    Its own estimate wins where it is sure and differs by more than estimates do.
    """
    reference = 0.0 if common_ms is None else common_ms
    if not own.sure:
        return reference
    if common_ms is None:
        return own.ms if abs(own.ms) >= NEGLIGIBLE_MS else 0.0
    return own.ms if abs(own.ms - common_ms) > 2 * SPREAD_MS else common_ms


def drift_ms(source: Samples, answer: Samples, sample_rate: int) -> float:
    """Return how far the delays of pieces of ``answer`` ``[T]`` lie apart, in ms; 0 if unknown.

    Both are aligned as a whole. Pieces overlap by half; each sure delay is replaced by the median
    of three neighbours, so that one wrong estimate makes no drift.
    """
    piece = round(min(PIECE_SECONDS, len(source) / sample_rate / 3) * sample_rate)
    if piece < sample_rate:
        return 0.0
    estimates = [
        estimate_delay(source[start : start + piece], answer[start : start + piece], sample_rate)
        for start in range(0, len(source) - piece + 1, piece // 2)
    ]
    delays = np.array([estimate.ms for estimate in estimates if estimate.sure])
    if len(delays) < _PIECES:
        return 0.0
    smooth = np.median(np.lib.stride_tricks.sliding_window_view(delays, 3), axis=1)
    return float(smooth.max() - smooth.min())


def undo_delay(source: Samples, answer: Samples, delay: int) -> tuple[Samples, Samples]:
    """Move ``answer`` ``[T]`` ``delay`` samples earlier (later if negative), beside ``source``.

    Both lose the samples at the end (or start) for which the other has none: ``[T - |delay|]``.
    """
    length = len(source) - abs(delay)
    if length <= 0:
        raise AudioError(f"an answer {delay} samples late leaves nothing of {len(source)}")
    late, early = max(0, delay), max(0, -delay)
    return source[early : early + length], answer[late : late + length]


def _contours(samples: Samples, sample_rate: int) -> NDArray[np.float64]:
    """Mel-band energies in dB less their means, ``[bands, frames]``; zeros for silence."""
    window, hop = round(0.02 * sample_rate), round(_FRAME_MS / 1000 * sample_rate)
    top = min(5000.0, sample_rate / 2)
    bank = librosa.filters.mel(sr=sample_rate, n_fft=window, n_mels=_BANDS, fmin=100, fmax=top)
    energy = np.concatenate(
        [bank @ np.square(np.abs(part)) for part in stft_blocks(samples, window, hop)], axis=1
    )
    loud = energy.max(axis=1, keepdims=True)
    if float(loud.max()) <= 0:
        return np.zeros(energy.shape)
    # Quiet parts are cut off together: what a pause is filled with says nothing about time.
    floor = np.maximum(loud, loud.max() * 1e-3) * 10 ** (-_RANGE_DB / 10)
    decibels = 10 * np.log10(np.maximum(energy, floor))
    contours: NDArray[np.float64] = decibels - decibels.mean(axis=1, keepdims=True)
    return contours


def _vertex(values: NDArray[np.float64], index: int) -> float:
    """Offset of the maximum of the parabola through three values, -0.5 to 0.5."""
    if not 0 < index < len(values) - 1:
        return 0.0
    left, middle, right = values[index - 1 : index + 2]
    curvature = left - 2 * middle + right
    return float(0.5 * (left - right) / curvature) if curvature < 0 else 0.0
