"""Timbre: distance from the target's own recording of the same sentence.

Mel-cepstral distortion (Kubichek 1993) between WORLD's spectral envelopes, 24 mel-cepstral
coefficients without the energy, frames aligned by dynamic time warping (Sakoe and Chiba 1978).
Other analyses give different values: compare only results of this implementation.
"""

from __future__ import annotations

import warnings

import numpy as np
from numpy.typing import NDArray

from edge_vc.audio.io import Samples
from edge_vc.audio.level import frame_power
from edge_vc.audio.pitch import Pitch
from edge_vc.evaluate.metrics.metric import Metric
from edge_vc.evaluate.metrics.prosody import pitch_of
from edge_vc.evaluate.metrics.recording import Recording

Cepstra = NDArray[np.float64]
"""Mel-cepstral coefficients of the audible frames, ``[frames, 24]``."""

ORDER = 24
RANGE_DB = 40.0
"""Frames further below the loud ones are treated as pauses and ignored."""
_DB = 10.0 / np.log(10.0) * np.sqrt(2.0)


def mel_cepstra(samples: Samples, sample_rate: int, pitch: Pitch) -> Cepstra:
    """Return the cepstra of ``[T]`` at the frames of its ``pitch``; empty for silence."""
    with warnings.catch_warnings():
        # Both query pkg_resources for their own version, which warns.
        warnings.simplefilter("ignore")
        import pysptk
        import pyworld
    times = np.arange(pitch.f0.size) * pitch.hop / sample_rate
    f0 = pitch.f0.astype(np.float64)
    envelope = pyworld.cheaptrick(samples.astype(np.float64), f0, times, sample_rate)
    power = frame_power(samples, pitch.hop)
    power = np.pad(power, (0, max(0, f0.size - power.size)))[: f0.size]
    audible = power > max(float(np.percentile(power, 95)) * 10 ** (-RANGE_DB / 10), 1e-10)
    if not audible.any():
        return np.zeros((0, ORDER))
    alpha = pysptk.util.mcepalpha(sample_rate)
    cepstra: Cepstra = pysptk.sp2mc(envelope[audible], ORDER, alpha)[:, 1:]
    return cepstra


def distortion_db(reference: Cepstra, converted: Cepstra) -> float | None:
    """Return the mel-cepstral distortion in dB over the best alignment; None for silence."""
    import librosa

    if not reference.size or not converted.size:
        return None
    costs, path = librosa.sequence.dtw(reference.T.copy(), converted.T.copy())
    return float(_DB * costs[-1, -1] / len(path))


def cepstra_of(recording: Recording) -> Cepstra:
    """Return the cepstra of a recording."""
    return mel_cepstra(recording.samples, recording.sample_rate, recording.get(pitch_of))


def parallel_cepstra(recording: Recording) -> Cepstra | None:
    """Return the cepstra of the target's recording of the same words; None if there is none."""
    context = recording.context
    parallel = context.chosen.parallel.to(recording.utterance)
    if parallel is None:
        return None
    return cepstra_of(Recording(context, parallel, parallel.read(recording.sample_rate)))


def compute(recording: Recording) -> float | None:
    """Return the distortion in dB from the target's recording of the same words."""
    # Shared by all systems that convert one source.
    reference = (recording.source or recording).get(parallel_cepstra)
    return None if reference is None else distortion_db(reference, cepstra_of(recording))


MCD = Metric(
    key="mcd_db",
    title="MCD",
    unit="dB",
    better=-1,
    compute=compute,
    digits=2,
    rank=7,
    description="Mel-cepstral distortion from the target's own recording of the sentence, "
    "frames aligned by dynamic time warping (Kubichek 1993).",
)
