"""Effects on speech on its way into a microphone: level, frequency response, noise, rooms, cuts.

Every function is deterministic; random values are drawn by `edge_vc.augmentation.augment`.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.signal import fftconvolve

from edge_vc.audio.io import AudioError, Samples

EQUALISER_HZ = (80.0, 160.0, 320.0, 640.0, 1280.0, 2560.0, 5120.0)
"""Frequencies at which an equaliser's gains are set; it is smooth between them."""


def change_gain(samples: Samples, gain_db: float) -> Samples:
    """Return ``[T]`` louder or softer by ``gain_db``; nothing is limited."""
    return (samples * np.float32(10 ** (gain_db / 20))).astype(np.float32)


def equalise(samples: Samples, sample_rate: int, gains_db: NDArray[np.floating]) -> Samples:
    """Return ``[T]`` with gains in dB at `EQUALISER_HZ`, linear in octaves between, zero phase."""
    if len(gains_db) != len(EQUALISER_HZ):
        raise AudioError(f"{len(gains_db)} gains; an equaliser takes {len(EQUALISER_HZ)}")
    # Room at the end for the response to decay.
    size = samples.shape[0] + sample_rate // 10
    hertz = np.fft.rfftfreq(size, 1 / sample_rate)
    octaves = np.log2(np.maximum(hertz, 1.0))
    curve_db = np.interp(octaves, np.log2(EQUALISER_HZ), gains_db)
    coloured = np.fft.irfft(np.fft.rfft(samples, size) * 10 ** (curve_db / 20), size)
    return np.asarray(coloured[: samples.shape[0]], np.float32)


def add_noise(samples: Samples, noise: Samples, snr_db: float) -> Samples:
    """Return ``[T]`` with ``noise`` ``[N]``, repeated as needed, at a ratio of mean powers in dB.

    The mean power of speech includes its pauses: the ratio during speech is a little higher. If
    either is silent, the samples are returned unchanged.
    """
    if not noise.size:
        raise AudioError("the noise holds no samples")
    bed = np.resize(noise, samples.shape).astype(np.float64)
    signal_power = float(np.square(samples, dtype=np.float64).mean()) if samples.size else 0.0
    noise_power = float(np.square(bed).mean()) if samples.size else 0.0
    if not signal_power or not noise_power:
        return samples.astype(np.float32)
    scale = np.sqrt(signal_power / noise_power / 10 ** (snr_db / 10))
    return np.asarray(samples + scale * bed, np.float32)


def add_room(samples: Samples, response: Samples) -> Samples:
    """Return ``[T]`` convolved with a room's impulse response ``[N]``, with its power unchanged.

    The part before the response's peak is the delay to the microphone: it is cut off, so that
    the result is time-aligned with the input.
    """
    if not response.size or not np.any(response):
        raise AudioError("the room's response is empty or silent")
    direct = response[int(np.abs(response).argmax()) :]
    heard = fftconvolve(samples.astype(np.float64), direct.astype(np.float64))[: samples.shape[0]]
    power = float(np.square(heard).mean()) if heard.size else 0.0
    before = float(np.square(samples, dtype=np.float64).mean()) if samples.size else 0.0
    gain = np.sqrt(before / power) if power else 1.0
    return np.asarray(heard * gain, np.float32)


def crop(samples: Samples, length: int, place: float) -> Samples:
    """Return ``length`` samples of ``[T]``, from the beginning (``place`` 0) to the end (1).

    Shorter audio is returned whole.
    """
    if length < 1 or not 0 <= place <= 1:
        raise AudioError(f"cannot crop {length} samples at {place}; give 1 or more, and 0 to 1")
    start = round(place * max(0, samples.shape[0] - length))
    return samples[start : start + length]
