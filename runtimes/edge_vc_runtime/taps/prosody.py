"""Pitch range, energy and speaking rate of a few seconds of speech."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edge_vc_runtime.samples import Samples

_FRAME_S = 0.04
_HOP_S = 0.01
_LOWEST_HZ, _HIGHEST_HZ = 60.0, 500.0
_VOICED = 0.6  # autocorrelation of a voiced frame at its period
_FIRST_PEAK = 0.9  # relative to the highest: later peaks are multiples of the period
_QUIET_DB = 30.0  # frames this far below the loudest are not speech
_SILENT_DB = -60.0
_DIP_DB = 2.0  # between two syllables
_FEWEST = 5  # minimum number of voiced frames to state a pitch


@dataclass(frozen=True)
class Prosody:
    """Prosody of a segment of speech; None if nothing was voiced."""

    energy_db: float
    """RMS in dBFS; -120 for silence."""
    pitch_hz: float | None
    """Median F0."""
    pitch_range_st: float | None
    """From the 10th to the 90th percentile, in semitones."""
    syllables_per_s: float
    """Loudness peaks of voiced frames: an estimate."""


def measure_prosody(audio: Samples, sample_rate: int) -> Prosody:
    """Return the prosody of ``[T]``, at least 0.1 s."""
    frames = _frames(audio.astype(np.float64), sample_rate)
    power = np.mean(frames**2, 1)
    level = 10 * np.log10(power + 1e-12)
    audible = (level > level.max() - _QUIET_DB) & (level > _SILENT_DB)
    pitch = np.where(audible, _pitch(frames, sample_rate), 0.0)
    voiced = pitch[pitch > 0]
    spoken = voiced.shape[0] >= _FEWEST
    low, middle, high = np.percentile(voiced, (10, 50, 90)) if spoken else (0.0, 0.0, 0.0)
    seconds = audio.shape[0] / sample_rate
    return Prosody(
        energy_db=float(10 * np.log10(np.mean(audio.astype(np.float64) ** 2) + 1e-12)),
        pitch_hz=float(middle) if spoken else None,
        pitch_range_st=float(12 * np.log2(high / low)) if spoken else None,
        syllables_per_s=_syllables(level, pitch > 0) / seconds,
    )


def _frames(audio: NDArray[np.float64], sample_rate: int) -> NDArray[np.float64]:
    """Return ``[N, length]``, one frame per 10 ms."""
    length, hop = int(_FRAME_S * sample_rate), int(_HOP_S * sample_rate)
    padded = np.pad(audio, (0, max(length - audio.shape[0], 0)))
    return np.lib.stride_tricks.sliding_window_view(padded, length)[::hop]


def _pitch(frames: NDArray[np.float64], sample_rate: int) -> NDArray[np.float64]:
    """Return Hz per frame, 0 for unvoiced, by autocorrelation (Boersma, 1993)."""
    length = frames.shape[1]
    window = np.hanning(length)
    size = 1 << (2 * length - 1).bit_length()
    centred = (frames - frames.mean(1, keepdims=True)) * window
    curves = np.fft.irfft(np.abs(np.fft.rfft(centred, size)) ** 2, size)[:, :length]
    shape = np.fft.irfft(np.abs(np.fft.rfft(window, size)) ** 2, size)[:length]
    first, last = int(sample_rate / _HIGHEST_HZ), int(sample_rate / _LOWEST_HZ)
    last = min(last, int(0.8 * length))
    energy = np.maximum(curves[:, :1], 1e-12)
    score = curves[:, first - 1 : last + 1] / energy / (shape[first - 1 : last + 1] / shape[0])
    inner = score[:, 1:-1]
    peaks = (inner >= score[:, :-2]) & (inner > score[:, 2:])
    heights = np.where(peaks, inner, 0.0)
    best = heights.max(1)
    chosen = np.argmax(heights >= np.maximum(_FIRST_PEAK * best, 1e-9)[:, None], 1)
    return np.where(best >= _VOICED, sample_rate / _between(score, chosen, first), 0.0)


def _between(
    score: NDArray[np.float64], chosen: NDArray[np.intp], first: int
) -> NDArray[np.float64]:
    """Return the fractional lag of each frame's peak, by parabolic interpolation."""
    rows = np.arange(score.shape[0])
    before, here, after = (score[rows, chosen + step] for step in (0, 1, 2))
    bend = before - 2 * here + after
    shift = 0.5 * (before - after) / np.where(bend < 0, bend, -1.0)
    lags: NDArray[np.float64] = first + chosen + np.clip(np.where(bend < 0, shift, 0.0), -0.5, 0.5)
    return lags


def _syllables(level: NDArray[np.float64], voiced: NDArray[np.bool_]) -> int:
    """Count voiced loudness peaks that are separated by a dip (de Jong and Wempe, 2009)."""
    smooth = np.convolve(np.pad(level, 2, "edge"), np.ones(5) / 5, "valid")
    count, dip, peak = 0, smooth[0], -1
    for index, value in enumerate(smooth):
        if peak >= 0 and value > smooth[peak]:
            peak = index
        elif peak >= 0 and value < smooth[peak] - _DIP_DB:
            count += bool(voiced[peak])
            peak, dip = -1, value
        elif peak < 0 and value > dip + _DIP_DB:
            peak = index
        dip = min(dip, value)
    return count + bool(peak >= 0 and voiced[peak])
