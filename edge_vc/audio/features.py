"""Features per frame: spectrum, mel bands, cepstrum and its deltas, energy, spectral peaks.

Frames are placed as in `edge_vc.audio.pitch`: ``T // hop + 1`` of them, frame ``n`` centred on
sample ``n * hop``, with silence beyond the ends.
"""

from __future__ import annotations

from collections.abc import Iterator

import librosa
import numpy as np
from numpy.typing import NDArray

from edge_vc.audio.io import AudioError, Samples

Spectrum = NDArray[np.complex64]
Features = NDArray[np.float32]

BLOCK_FRAMES = 8_192
"""Frames that `stft_blocks` transforms at once."""
FLOOR_DB = -100.0
"""Lower bound of levels in dB, since the logarithm of digital silence is undefined."""


def stft(samples: Samples, window: int, hop: int) -> Spectrum:
    """Return the complex spectrum ``[window // 2 + 1, frames]`` of Hann windows over ``[T]``."""
    _check(samples, window, hop)
    frames = samples.shape[0] // hop + 1
    # librosa warns about signals shorter than a window.
    padded = np.pad(samples, (0, max(0, window - samples.shape[0])))
    spectrum: Spectrum = librosa.stft(padded, n_fft=window, hop_length=hop, pad_mode="constant")
    return spectrum[:, :frames]


def stft_blocks(samples: Samples, window: int, hop: int) -> Iterator[Spectrum]:
    """Yield the columns of `stft`, `BLOCK_FRAMES` at a time."""
    _check(samples, window, hop)
    frames = samples.shape[0] // hop + 1
    ends = (window // 2, window)  # librosa warns about signals shorter than a window
    padded = np.pad(samples, ends)
    for start in range(0, frames, BLOCK_FRAMES):
        count = min(BLOCK_FRAMES, frames - start)
        span = padded[start * hop : (start + count - 1) * hop + window]
        yield librosa.stft(span, n_fft=window, hop_length=hop, center=False)


def istft(spectrum: Spectrum, hop: int, length: int) -> Samples:
    """Return ``[length]`` samples from `stft`'s spectrum; the exact inverse if it is unchanged.

    Overlap-add, normalised by the windows' squares (Griffin and Lim 1984).
    """
    samples: Samples = librosa.istft(spectrum, hop_length=hop, length=length)
    return samples


def energy_db(samples: Samples, window: int, hop: int) -> Features:
    """Return the mean power of each frame ``[frames]`` in dBFS, at least `FLOOR_DB`."""
    _check(samples, window, hop)
    rms = librosa.feature.rms(y=samples, frame_length=window, hop_length=hop, pad_mode="constant")
    return _decibels(np.square(rms[0]))


def log_mel(
    samples: Samples, sample_rate: int, window: int = 512, hop: int = 160, bands: int = 80
) -> Features:
    """Return the power of Slaney mel bands ``[bands, frames]`` in dB, at least `FLOOR_DB`."""
    _check(samples, window, hop)
    power = np.square(np.abs(stft(samples, window, hop)))
    bank = librosa.filters.mel(sr=sample_rate, n_fft=window, n_mels=bands)
    return _decibels(bank @ power)


def mfcc(
    samples: Samples,
    sample_rate: int,
    window: int = 512,
    hop: int = 160,
    coefficients: int = 13,
    bands: int = 40,
) -> Features:
    """Return mel-frequency cepstral coefficients ``[coefficients, frames]``.

    The cosine transform of log-mel power in dB (Davis and Mermelstein 1980); the first coefficient
    tracks the loudness.
    """
    _check(samples, window, hop)
    if not 1 <= coefficients <= bands:
        raise AudioError(f"{coefficients} coefficients of {bands} bands; give 1 to {bands}")
    spectrum = log_mel(samples, sample_rate, window, hop, bands)
    cepstrum: Features = librosa.feature.mfcc(S=spectrum, n_mfcc=coefficients)
    return cepstrum


def with_deltas(features: Features, reach: int = 4) -> Features:
    """Return ``[3 * C, frames]``: features ``[C, frames]``, their slopes and their curvatures.

    Slopes per frame by least squares over ``2 * reach + 1`` frames (Furui 1986); the outermost
    frames are repeated beyond the ends.
    """
    first = _slope(features, reach)
    return np.concatenate([features, first, _slope(first, reach)]).astype(np.float32)


def _slope(features: Features, reach: int) -> Features:
    offsets = np.arange(-reach, reach + 1)
    padded = np.pad(features, ((0, 0), (reach, reach)), mode="edge")
    windows = np.lib.stride_tricks.sliding_window_view(padded, 2 * reach + 1, axis=1)
    slope: Features = (windows @ offsets / np.square(offsets).sum()).astype(np.float32)
    return slope


def spectral_peaks(
    samples: Samples, sample_rate: int, window: int = 512, hop: int = 160, count: int = 5
) -> tuple[Features, Features]:
    """Return the ``count`` strongest peaks of each frame: Hz and dBFS, ``[count, frames]`` each.

    Strongest first. Peaks are local maxima of the magnitude spectrum above 50 Hz, interpolated
    by a parabola; a full-scale sine has 0 dBFS. Missing peaks are 0 Hz and `FLOOR_DB`.
    """
    _check(samples, window, hop)
    if not 1 <= count <= window // 4:
        raise AudioError(f"{count} peaks of a window of {window}; give 1 to {window // 4}")
    # A Hann window halves a sine's amplitude; so does its second half at negative frequencies.
    amplitude: Features = np.abs(stft(samples, window, hop)) * np.float32(4 / window)
    size, shift = _interpolated_peaks(amplitude, 10 ** (FLOOR_DB / 20))
    bins = np.arange(len(amplitude))[:, None]
    size[bins[:, 0] * sample_rate < 50.0 * window] = 0
    hertz = np.where(size > 0, (bins + shift) * sample_rate / window, 0).astype(np.float32)
    order = np.argsort(-size, axis=0, kind="stable")[:count]
    strongest = np.take_along_axis(size, order, axis=0)
    return np.take_along_axis(hertz, order, axis=0), _decibels(np.square(strongest))


def _interpolated_peaks(amplitude: Features, least: float) -> tuple[Features, Features]:
    """Return heights and shifts in bins of the local maxima above ``least``; 0 elsewhere.

    librosa.piptrack does the same with gufuncs whose compiled code numba caches in two files:
    processes that start together with an empty cache mix them up and crash with a segmentation
    fault.
    """
    height, shift = np.zeros_like(amplitude), np.zeros_like(amplitude)
    before, here, after = amplitude[:-2], amplitude[1:-1], amplitude[2:]
    found = (here > before) & (here >= after) & (here > least)
    slope, bend = (after - before) / 2, after + before - 2 * here
    offset = np.divide(-slope, bend, out=np.zeros_like(here), where=found)
    shift[1:-1] = offset
    height[1:-1] = np.where(found, here + slope * offset / 2, 0)
    return height, shift


def _decibels(power: NDArray[np.floating]) -> Features:
    floor = 10 ** (FLOOR_DB / 10)
    return (10 * np.log10(np.maximum(power.astype(np.float64), floor))).astype(np.float32)


def _check(samples: Samples, window: int, hop: int) -> None:
    if samples.ndim != 1 or not samples.size:
        raise AudioError(f"features need mono [T] with samples, got shape {list(samples.shape)}")
    if not 0 < hop <= window:
        raise AudioError(f"hop {hop} of a window of {window}; a hop is 1 to the window's length")
