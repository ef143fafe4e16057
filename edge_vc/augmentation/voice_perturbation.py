"""Voice perturbation with WORLD: the same sentence as if spoken by another person.

The recording is analysed with WORLD (Morise et al. 2016), shifted to another pitch and vocal-tract
length, and resynthesised.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyworld
from numpy.typing import NDArray

from edge_vc.audio.pitch import track_pitch

Array = NDArray[np.float64]

FRAME_MS = 5.0
"""WORLD's frame period."""
LOWEST_HZ, HIGHEST_HZ = 65.0, 500.0
"""Search range of F0."""


@dataclass(frozen=True)
class Analysis:
    """WORLD's analysis of one recording; rows are frames of `FRAME_MS`."""

    f0: Array
    """Fundamental frequency in Hz, 0 where unvoiced, ``[F]``."""
    envelope: Array
    """Spectral envelope (power), ``[F, bins]``."""
    aperiodicity: Array
    """Share of noise per bin, ``[F, bins]``."""
    sample_rate: int


def analyse(audio: Array, sample_rate: int) -> Analysis:
    """Analyse mono ``audio`` ``[T]`` with WORLD; frame ``n`` is centred on ``n * FRAME_MS``.

    F0 comes from `track_pitch`: WORLD's own estimator locks on to mains hum if there is any.
    """
    signal = np.ascontiguousarray(audio, np.float64)
    hop = round(FRAME_MS / 1000 * sample_rate)
    pitch = track_pitch(signal.astype(np.float32), sample_rate, hop, LOWEST_HZ, HIGHEST_HZ)
    f0 = pitch.f0.astype(np.float64)
    times = np.arange(f0.shape[0]) * hop / sample_rate
    envelope = pyworld.cheaptrick(signal, f0, times, sample_rate)
    aperiodicity = pyworld.d4c(signal, f0, times, sample_rate)
    return Analysis(f0, envelope, aperiodicity, sample_rate)


def perturb_voice(analysis: Analysis, semitones: float = 0.0, warp: float = 1.0) -> Array:
    """Return the recording ``[T]`` with F0 shifted and formants stretched by the given amounts."""
    audio: Array = pyworld.synthesize(
        np.clip(analysis.f0 * 2 ** (semitones / 12), 0.0, HIGHEST_HZ * 2),
        np.ascontiguousarray(_warped(analysis.envelope, warp)),
        np.ascontiguousarray(np.clip(_warped(analysis.aperiodicity, warp), 1e-5, 1.0)),
        analysis.sample_rate,
        FRAME_MS,
    )
    return audio


def _warped(rows: Array, warp: float) -> Array:
    """Stretch the frequency axis: a formant at ``f`` moves to ``f * warp``."""
    position = np.minimum(np.arange(rows.shape[1]) / warp, rows.shape[1] - 1)
    below = np.minimum(position.astype(int), rows.shape[1] - 2)
    part = position - below
    mixed: Array = rows[:, below] * (1 - part) + rows[:, below + 1] * part
    return mixed
