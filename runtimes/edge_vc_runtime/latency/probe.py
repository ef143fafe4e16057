"""A speech-like signal whose loudness contour survives voice conversion, and its detection.

A converter changes the waveform, so the waveform cannot be detected; but it preserves when the
speaker is loud. The signal is voiced and switched on and off at random.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from edge_vc_runtime.latency.detection import Detection, correlate, refine_peak, window_norms
from edge_vc_runtime.samples import Samples

SECONDS = 3.0
_SYLLABLE_S = 0.07
_PITCH_HZ = 120.0
_HARMONICS = 30
_FORMANTS = ((600.0, 150.0, 1.0), (1200.0, 200.0, 0.6), (2500.0, 300.0, 0.3))  # Hz, Hz, gain
_PEAK = 0.4
_ENVELOPE_S = 0.008
_ENVELOPE_HZ = 2000
_FLOOR = 0.02  # relative to the loudest: anything below -34 dB counts as silence
# The best wrong positions in speech and in noise reach 0.5 and 1.5.
_LEAST_SIMILARITY = 0.6
_LEAST_RATIO = 1.6


def speech_probe(sample_rate: int, seed: int = 0) -> Samples:
    """Return ``[T]``, 3 s of vowel-like syllables at 40 % of full scale."""
    random = np.random.default_rng(seed)
    count = int(SECONDS * sample_rate)
    voiced = _vowel(count, sample_rate) * _syllables(count, sample_rate, random)
    return np.asarray(_PEAK * voiced / np.abs(voiced).max(), np.float32)


def find_probe(recording: Samples, sample_rate: int, seed: int = 0) -> Detection | None:
    """Find `speech_probe` in ``[T]``, converted or not; None if it is not detected with certainty.

    Without conversion, the position is accurate to about 1 ms. A converter smooths onsets, which
    shifts the position later, by about 4 ms with the shipped voice.
    """
    probe = speech_probe(sample_rate, seed)
    if recording.shape[0] < probe.shape[0] or not np.isfinite(recording).all():
        return None
    heard = _loudness(recording, sample_rate)
    sent = _loudness(probe, sample_rate)
    sent -= sent.mean()
    length = sent.shape[0]
    scores = np.real(correlate(heard - heard.mean(), sent)).astype(np.float64)
    means = np.cumsum(np.concatenate([[0.0], heard]))
    means = (means[length:] - means[:-length]) / length
    deviation = np.sqrt(np.maximum(window_norms(heard, length) ** 2 / length - means**2, 1e-12))
    likeness = scores / (deviation * np.sqrt(length) * np.linalg.norm(sent))
    best = int(likeness.argmax())
    guard = int(_SYLLABLE_S * _ENVELOPE_HZ)
    rest = np.concatenate([likeness[: max(best - guard, 0)], likeness[best + guard :]])
    other = max(float(rest.max()), 0.05) if rest.size else 0.05
    similarity, ratio = float(likeness[best]), float(likeness[best]) / other
    if similarity < _LEAST_SIMILARITY or ratio < _LEAST_RATIO:
        return None
    position = refine_peak(likeness, best) * sample_rate / _ENVELOPE_HZ
    return Detection(position, min(similarity, 1.0), ratio)


def _vowel(count: int, sample_rate: int) -> NDArray[np.float64]:
    time = np.arange(count) / sample_rate
    pitch = _PITCH_HZ * 2 ** (0.15 * np.sin(2 * np.pi * 1.3 * time))
    phase = 2 * np.pi * np.cumsum(pitch) / sample_rate
    voiced = np.zeros(count)
    for number in range(1, _HARMONICS + 1):
        hertz = number * _PITCH_HZ
        if hertz < 0.4 * sample_rate:
            gain = sum(peak / (1 + ((hertz - at) / width) ** 2) for at, width, peak in _FORMANTS)
            voiced += gain / number * np.sin(number * phase)
    return voiced


def _syllables(count: int, sample_rate: int, random: np.random.Generator) -> NDArray[np.float64]:
    """Return an envelope ``[count]`` of 0 and 1, switched at random, with smoothed edges."""
    switches = random.random(int(SECONDS / _SYLLABLE_S) + 1) > 0.5
    steps = (np.arange(count) / (_SYLLABLE_S * sample_rate)).astype(int)
    edge = np.hanning(int(0.02 * sample_rate))
    return np.convolve(switches[steps].astype(float), edge / edge.sum(), "same")


def _loudness(audio: Samples, sample_rate: int) -> NDArray[np.float64]:
    """Return the log envelope of ``[T]`` at 2 kHz, from its maximum down to -34 dB."""
    width = max(int(_ENVELOPE_S / 2 * sample_rate), 2)
    power = _moving_average(_moving_average(audio.astype(np.float64) ** 2, width), width)
    places = np.arange(int(audio.shape[0] * _ENVELOPE_HZ / sample_rate))
    envelope = np.sqrt(np.interp(places / _ENVELOPE_HZ * sample_rate, np.arange(power.size), power))
    loudest = max(float(np.quantile(envelope, 0.98)), 1e-9)
    logs: NDArray[np.float64] = np.log(envelope / loudest + _FLOOR)
    return logs


def _moving_average(values: NDArray[np.float64], width: int) -> NDArray[np.float64]:
    """Return the centred mean over ``width``, in time independent of ``width``."""
    padded = np.pad(values, (width - width // 2, width // 2))
    sums = np.cumsum(padded)
    return np.maximum(sums[width:] - sums[:-width], 0.0) / width
