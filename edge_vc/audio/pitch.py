"""Fundamental frequency and voicing, one value per frame.

DIO refined by StoneMask (Morise, Kawahara, Katayose 2009) costs a fortieth of Harvest and labels
fewer noisy pauses as voiced, but tracks mains hum if its search range is wide. So the range is
determined first, from the autocorrelation of the loud frames, and DIO searches within it.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.signal import butter, sosfilt, sosfiltfilt

from edge_vc.audio.io import AudioError, Samples

with warnings.catch_warnings():
    # pyworld asks pkg_resources for its own version, which warns.
    warnings.simplefilter("ignore")
    import pyworld

Contour = NDArray[np.float32]
Signal = NDArray[np.float64]

FRAME_RATE = 100
"""Frames per second unless a student's hop sets another rate."""

_LOUD_DB = -15.0
_QUIET_DB = -27.0
_PERIODIC = 0.25
_OCTAVE_COST = 0.01
_BLOCK = 8_192
"""Frames processed at once."""
_CORRELATED = 256
"""Frames correlated at once, 60 kB each."""


def frame_hop(rate: int) -> int:
    """Return the samples per frame at ``rate`` Hz: 10 ms, rounded."""
    return round(rate / FRAME_RATE)


@dataclass(frozen=True)
class Pitch:
    """F0 of a recording; frame ``n`` is centred on sample ``n * hop``."""

    f0: Contour
    """``[frames]`` in Hz, 0 where unvoiced."""
    log_f0: Contour
    """``[frames]`` natural logarithm of Hz, interpolated through unvoiced frames."""
    hop: int
    """Samples between frames."""

    @property
    def voiced(self) -> NDArray[np.bool_]:
        """``[frames]``: whether each frame is voiced."""
        voiced: NDArray[np.bool_] = self.f0 > 0
        return voiced

    @property
    def median(self) -> float:
        """Median F0 in Hz over voiced frames; 0.0 if no frame is voiced."""
        return float(np.median(self.f0[self.voiced])) if self.voiced.any() else 0.0


def track_pitch(
    samples: Samples,
    sample_rate: int,
    hop: int,
    lowest: float = 60.0,
    highest: float = 600.0,
) -> Pitch:
    """Track F0 in ``[T]``: ``T // hop + 1`` frames, frame ``n`` centred on sample ``n * hop``.

    Searches within an octave of `typical_pitch`, after a high-pass filter at the low end of that
    range. Frames whose power below 1 kHz is 27 dB under that of the loud ones are unvoiced:
    pauses, and fricatives over a rumble. ``lowest`` and ``highest`` are in Hz.
    """
    frames = samples.shape[0] // hop + 1
    typical = typical_pitch(samples, sample_rate, lowest, highest)
    f0 = np.zeros(frames)
    if typical:
        low, high = search_range(typical, lowest, highest)
        signal = high_pass(samples, sample_rate, low)
        f0 = search_f0(signal, sample_rate, hop, low, high)
        power = bass_power(signal, sample_rate, hop)
        f0[power < weak_power(power)] = 0.0
    return Pitch(f0.astype(np.float32), interpolate_log_f0(f0, unvoiced_hz=lowest), hop)


def mid_frame_f0(samples: Samples, sample_rate: int, hop: int) -> Contour:
    """Track F0 in ``[F * hop]`` at the middle of each frame (half a sample off for odd hops).

    Returns ``[F]`` in Hz, 0 where unvoiced.
    """
    frames, half = len(samples) // hop, hop // 2
    if hop % 2:
        return track_pitch(samples[half:], sample_rate, hop).f0[:frames]
    return track_pitch(samples, sample_rate, half).f0[1::2][:frames]


def search_range(typical: float, lowest: float, highest: float) -> tuple[float, float]:
    """Return the F0 search range in Hz: within an octave of the typical F0."""
    return max(lowest, typical / 2), min(highest, typical * 2)


def typical_pitch(
    samples: Samples, sample_rate: int, lowest: float = 60.0, highest: float = 600.0
) -> float:
    """Return the median F0 in Hz of the loud frames of ``[T]``; 0.0 if nothing is periodic.

    Autocorrelation of the compressed spectrum below 1.5 kHz (Tolonen and Karjalainen 2000),
    divided by the window's (Boersma 1993), 40 ms every 10 ms: coarse, but robust in the median.
    """
    if not np.isfinite(samples).all():
        raise AudioError("pitch tracking needs finite samples; the audio holds NaN or infinity")
    window = round(0.04 * sample_rate)
    if samples.shape[0] < window or np.ptp(samples) == 0.0:
        return 0.0
    frames = speech_frames(samples, sample_rate, lowest)
    power = np.square(frames).mean(axis=1)
    lags = periods(frames[power > loud_power(power)], sample_rate, lowest, highest)
    return float(sample_rate / np.median(lags)) if lags.size else 0.0


def speech_frames(samples: Samples, sample_rate: int, lowest: float) -> Signal:
    """Return windowed frames of 40 ms, one every 10 ms, as analysed by `typical_pitch`."""
    window = round(0.04 * sample_rate)
    signal = high_pass(samples, sample_rate, lowest * 1.1)
    frames: Signal = centred_frames(signal, window, window // 4) * np.hanning(window)
    return frames


def loud_power(power: Signal) -> float:
    """Return the power above which a frame counts as loud, from the powers of all frames."""
    return float(np.percentile(power, 95) * 10 ** (_LOUD_DB / 10))


def periods(
    frames: Signal, sample_rate: int, lowest: float, highest: float
) -> NDArray[np.signedinteger[Any]]:
    """Return the periods in samples of the periodic frames among `speech_frames`."""
    blocks = range(0, len(frames), _CORRELATED)
    found = [
        _periods(frames[start : start + _CORRELATED], sample_rate, lowest, highest)
        for start in blocks
    ]
    return np.concatenate(found) if found else np.zeros(0, np.int64)


def _periods(
    frames: Signal, sample_rate: int, lowest: float, highest: float
) -> NDArray[np.signedinteger[Any]]:
    window = frames.shape[1]
    lags = np.arange(int(sample_rate / highest), int(min(sample_rate / lowest, 0.6 * window)) + 1)
    correlation = _compressed_correlation(frames, sample_rate, reach=int(lags[-1]) + 2)
    inner = correlation[:, lags]
    peak = (inner >= correlation[:, lags - 1]) & (inner >= correlation[:, lags + 1])
    # Twice the period correlates as well as the period: penalise longer lags slightly.
    merit = np.where(peak, inner - _OCTAVE_COST * np.log2(lags / lags[0]), 0.0)
    periodic = merit.max(axis=1, initial=0.0) > _PERIODIC
    found: NDArray[np.signedinteger[Any]] = lags[merit[periodic].argmax(axis=1)]
    return found


def _compressed_correlation(frames: Signal, sample_rate: int, reach: int) -> Signal:
    """Return autocorrelations ``[frames, reach]``, 1 at lag 0, divided by the window's own."""
    size = 4 * frames.shape[1]
    spectrum = np.abs(np.fft.rfft(frames, size)) ** (2 / 3)
    spectrum[:, np.fft.rfftfreq(size, 1 / sample_rate) > 1500] = 0.0
    correlation = np.fft.irfft(spectrum)[:, :reach]
    window = np.fft.irfft(np.abs(np.fft.rfft(np.hanning(frames.shape[1]), size)) ** 2)[:reach]
    free: Signal = correlation / np.maximum(correlation[:, :1], 1e-12) / (window / window[0])
    return free


def interpolate_log_f0(f0: NDArray[np.floating], unvoiced_hz: float = 100.0) -> Contour:
    """Return natural log-F0 ``[frames]`` without gaps: linear between voiced frames, held outside.

    ``f0`` is in Hz with 0 for unvoiced; if all frames are, the result is ``log(unvoiced_hz)``.
    """
    voiced = np.flatnonzero(f0 > 0)
    if not voiced.size:
        return np.full(f0.shape, np.log(unvoiced_hz), dtype=np.float32)
    bridged: NDArray[np.float64] = np.interp(
        np.arange(f0.shape[0]), voiced, np.log(f0[voiced].astype(np.float64))
    )
    return bridged.astype(np.float32)


def high_pass(samples: Samples, sample_rate: int, cutoff: float) -> Signal:
    """Return ``[T]`` high-pass filtered at ``cutoff`` Hz, forwards and backwards."""
    sections = butter(4, cutoff, "highpass", fs=sample_rate, output="sos")
    padding = min(samples.shape[0] - 1, round(0.05 * sample_rate))
    filtered = sosfiltfilt(sections, samples.astype(np.float64), padlen=padding)
    return np.ascontiguousarray(filtered, dtype=np.float64)


def bass_power(signal: Signal, sample_rate: int, hop: int) -> Signal:
    """Return the power of each frame below 1 kHz, where voiced speech has its power."""
    sections = butter(4, min(1000.0, 0.45 * sample_rate), fs=sample_rate, output="sos")
    bass = np.asarray(sosfilt(sections, signal), dtype=np.float64)
    frames = centred_frames(bass, round(0.025 * sample_rate), hop)
    blocks = range(0, len(frames), _BLOCK)
    return np.concatenate([np.square(frames[b : b + _BLOCK]).mean(axis=1) for b in blocks])


def weak_power(power: Signal) -> float:
    """Return the `bass_power` below which a frame is unvoiced, from the values of all frames."""
    return float(np.percentile(power, 95) * 10 ** (_QUIET_DB / 10))


def centred_frames(signal: Signal, window: int, hop: int) -> Signal:
    """Cut ``[T]`` into ``[T // hop + 1, window]``, frame ``n`` centred on ``n * hop``."""
    padded = np.pad(signal, (window // 2, window))
    frames: Signal = np.lib.stride_tricks.sliding_window_view(padded, window)[::hop]
    return frames[: signal.shape[0] // hop + 1]


def search_f0(signal: Signal, sample_rate: int, hop: int, lowest: float, highest: float) -> Signal:
    """Return F0 in Hz of ``T // hop + 1`` frames, 0 where nothing is periodic."""
    coarse, times = pyworld.dio(
        signal,
        sample_rate,
        f0_floor=lowest,
        f0_ceil=highest,
        channels_in_octave=4.0,
        frame_period=1000.0 * hop / sample_rate,
    )
    refined: Signal = pyworld.stonemask(signal, coarse, times, sample_rate)
    # StoneMask may leave the search range; such frames are discarded.
    refined[(refined < lowest * 0.9) | (refined > highest * 1.1)] = 0.0
    # WORLD counts frames in floating point and may add or drop the last one.
    frames = signal.shape[0] // hop + 1
    return np.pad(refined[:frames], (0, max(0, frames - refined.shape[0])))
